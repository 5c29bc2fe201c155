import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SbomRequest } from '../../src/app/make-sbom.ts';
import { writeSbom } from '../../src/app/write-sbom.ts';
import { cyclonedxJson } from '../../src/bom/formats/cyclonedx-json.ts';
import { githubJson } from '../../src/bom/formats/github-json.ts';
import { spdxJson } from '../../src/bom/formats/spdx-json.ts';
import type { OpenImage } from '../../src/image/contract.ts';
import { folder, type TestHost, testHost } from '../support/host.ts';
import { memoryImage } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

const layer = archive(
  file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
  file(
    'var/lib/dpkg/status',
    'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\nPackage: b c\n\n',
  ),
);

const kept = (host: TestHost): readonly string[] => {
  const root = join(host.home, '.cache/tcf/sboms');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sbom'))
    .map((name) => join(root, name));
};

/** An image that says when a layer of it is read. */
function countedImage(more: Partial<OpenImage> = {}): {
  readonly image: OpenImage;
  readonly reads: () => number;
} {
  let reads = 0;
  const image = memoryImage({ layers: [layer] });
  const layers = image.layers.map((one) => ({
    ...one,
    stored: {
      ...one.stored,
      open() {
        reads += 1;
        return one.stored.open();
      },
    },
  }));
  return { image: { ...image, layers, ...more }, reads: () => reads };
}

const asked: SbomRequest = { cache: true };

test('nothing changed: what was written is written again, and nothing is read', async () => {
  using work = folder();
  const host = testHost({ cwd: work.path });
  const fresh = await writeSbom(host, countedImage().image, {}, cyclonedxJson);
  expect(fresh.summary).toEqual({ components: 2, skipped: 1 });
  const first = countedImage();
  expect(await writeSbom(host, first.image, asked, cyclonedxJson)).toEqual(fresh);
  expect(first.reads()).toBe(1);
  // What the layers said is not needed either.
  for (const path of readdirSync(join(host.home, '.cache/tcf/layers'), {
    recursive: true,
    encoding: 'utf8',
  })) {
    if (path.endsWith('.layer')) {
      writeFileSync(join(host.home, '.cache/tcf/layers', path), 'damaged');
    }
  }
  const second = countedImage();
  expect(await writeSbom(host, second.image, asked, cyclonedxJson)).toEqual(fresh);
  expect(second.reads()).toBe(0);
  expect(host.err()).toBe('');
});

describe('whatever the text follows from has a record of its own', () => {
  test.for<[string, Partial<OpenImage>, SbomRequest, Readonly<Record<string, string>>]>([
    ['the author', {}, { ...asked, authors: [{ name: 'Ann', email: 'ann@example.org' }] }, {}],
    ['the version of the format', {}, { ...asked, specVersion: '1.7' }, {}],
    ['the repository', { repository: 'reg.example/app' }, asked, {}],
    ['the annotations', { annotations: { 'org.opencontainers.image.base.name': 'debian:12' } }, asked, {}],
    ['the date', {}, asked, { SOURCE_DATE_EPOCH: '1000000000' }],
  ])('%s', async ([, more, request, env]) => {
    using work = folder();
    const plain = testHost({ cwd: work.path });
    const before = await writeSbom(plain, countedImage().image, asked, cyclonedxJson);
    const host = testHost({ cwd: work.path, env });
    const made = await writeSbom(host, countedImage(more).image, request, cyclonedxJson);
    const fresh = await writeSbom(
      host,
      countedImage(more).image,
      { ...request, cache: false },
      cyclonedxJson,
    );
    expect(made.text).toBe(fresh.text);
    expect(made.text).not.toBe(before.text);
    expect(kept(host)).toHaveLength(2);
  });

  test('the format', async () => {
    using work = folder();
    const host = testHost({ cwd: work.path });
    await writeSbom(host, countedImage().image, asked, cyclonedxJson);
    const spdx = await writeSbom(host, countedImage().image, asked, spdxJson);
    expect(spdx.text).toContain('SPDX-');
    expect(kept(host)).toHaveLength(2);
    const newer = { ...spdxJson, version: '3.0.1' };
    expect((await writeSbom(host, countedImage().image, asked, newer)).text).toContain('spdx-context.jsonld');
    expect(kept(host)).toHaveLength(3);
  });
});

test.for<[string, Partial<OpenImage>, SbomRequest, typeof cyclonedxJson]>([
  ['a profile tells more than the text', {}, { profile: 'ntia', authors: [{ name: 'Ann' }] }, cyclonedxJson],
  ['each run has a serial number', {}, { uniqueSerial: crypto.randomUUID() }, cyclonedxJson],
  ['the layers of a store were not checked', { isUnverified: true }, {}, cyclonedxJson],
  ['the environment is part of it', {}, {}, githubJson],
])('nothing is kept where %s', async ([, more, request, format]) => {
  using work = folder();
  const host = testHost({ cwd: work.path });
  await writeSbom(host, countedImage(more).image, asked, cyclonedxJson).catch(() => undefined);
  const before = more.isUnverified === true ? 0 : 1;
  const count = () => (before === 0 ? 0 : kept(host).length);
  expect(count()).toBe(before);
  await writeSbom(host, countedImage(more).image, { ...asked, ...request }, format);
  expect(count()).toBe(before);
});

test.for<[string, (path: string) => void]>([
  ['cut', (path) => truncateSync(path, 60)],
  ['empty', (path) => truncateSync(path, 0)],
  ['of another kind', (path) => writeFileSync(path, 'x'.repeat(1000))],
  [
    'changed in one bit',
    (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
      writeFileSync(path, bytes);
    },
  ],
])('a record that is %s changes nothing, is told of once, and heals', async ([, damage]) => {
  using work = folder();
  const host = testHost({ cwd: work.path });
  const fresh = await writeSbom(host, countedImage().image, asked, cyclonedxJson);
  // The records of layers too: it is one trouble.
  const cache = join(host.home, '.cache/tcf');
  for (const path of readdirSync(cache, { recursive: true, encoding: 'utf8' })) {
    if (/\.(?:layer|sbom)$/.test(path)) {
      damage(join(cache, path));
    }
  }
  expect(await writeSbom(host, countedImage().image, asked, cyclonedxJson)).toEqual(fresh);
  expect(host.err().match(/tcf: warning: /g)).toHaveLength(1);
  const healed = countedImage();
  expect(await writeSbom(host, healed.image, asked, cyclonedxJson)).toEqual(fresh);
  expect(healed.reads()).toBe(0);
});
