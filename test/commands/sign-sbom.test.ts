import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { parseStatement, predicateTypes } from '../../src/attest/statement.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { type Called, folder, type } from '../support/host.ts';
import { type BuiltImage, buildImage } from '../support/image.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { writeKeyPair } from '../support/scene.ts';
import { archive, file } from '../support/tar.ts';

/* What is said about an SBOM that tcf sign makes and attests. */

let place: ReturnType<typeof folder>;
let registry: TestRegistry;

const stanza = (name: string, architecture: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: ${architecture}\nVersion: 1\n\n`;
const layers = (architecture: string) => {
  const os = file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n');
  const status = (...names: readonly string[]) =>
    file('var/lib/dpkg/status', names.map((name) => stanza(name, architecture)).join(''));
  return [archive(os, status('bash')), archive(status('bash', 'vim'))] as const;
};
const image = (architecture: string, count: number) =>
  buildImage({ architecture, layers: layers(architecture).slice(0, count) });

beforeEach(async () => {
  place = folder();
  registry = await startRegistry();
  for (const [repository, count] of [
    ['base', 1],
    ['dev', 2],
  ] as const) {
    const images = ['amd64', 'arm64'].map((architecture) => image(architecture, count));
    for (const one of images) {
      await push(repository, one);
    }
    await pushIndex(repository, images);
  }
  await push('other', buildImage({ layers: [archive(file('etc/os-release', 'ID=alpine\n'))] }));
  writeKeyPair(place.path, 'team');
});
afterEach(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });

async function push(repository: string, { blobs, manifest }: BuiltImage): Promise<void> {
  const ref = { registry: registry.host, repository };
  for (const bytes of blobs.values()) {
    await client.pushBlob(ref, mediaTypes.layer, bytes);
  }
  await client.pushManifest(ref, 'one', mediaTypes.manifest, manifest);
}

async function pushIndex(repository: string, images: readonly BuiltImage[]): Promise<void> {
  const manifests = images.map(({ config, descriptor }) => {
    const { architecture, os } = JSON.parse(Buffer.from(config).toString());
    return { ...descriptor, platform: { os, architecture } };
  });
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  await client.pushManifest({ registry: registry.host, repository }, 'latest', mediaTypes.index, index);
}

const tcf = (...args: readonly string[]): Promise<Called> =>
  type([...args, '--allow-http'], {
    cwd: place.path,
  });
const name = (repository: string) => `${registry.host}/${repository}`;
const digest = (architecture: string) => image(architecture, 2).manifestDigest;
const one = () => `${name('dev')}@${digest('amd64')}`;
const sign = (...args: readonly string[]) => tcf('sign', ...args, '--key', 'team.key');

/** Every SBOM that was attested, by what it is about. */
function attested(): ReadonlyMap<string, unknown> {
  return new Map(
    [...registry.blobs.values()].flatMap((bytes) => {
      const bundle = parseBundle(bytes);
      if (!bundle.ok || bundle.value.content.kind !== 'dsse') {
        return [];
      }
      const statement = parseStatement(bundle.value.content.envelope.payload);
      if (!statement.ok || statement.value.predicateType !== predicateTypes.cyclonedx) {
        return [];
      }
      return [[statement.value.subjects[0]?.digests[0] ?? '', statement.value.predicate] as const];
    }),
  );
}

const people = ['--author', 'Ann <ann@example.test>', '--supplier', 'Acme <https://acme.test>'];

test.for([
  ['people', () => people],
  ['a base', () => ['--base', name('base')]],
  ['all of it', () => [...people, '--base', name('base'), '--profile', 'ntia']],
] as const)('with %s it is the one that tcf sbom makes', async ([, wishes]) => {
  const signed = await sign(one(), ...wishes());
  expect(signed.exit, signed.err).toBe(0);
  const { out } = await tcf('sbom', `docker://${one()}`, ...wishes());
  expect(attested().get(digest('amd64'))).toEqual(JSON.parse(out));
  const plain = await tcf('sbom', `docker://${one()}`);
  expect(JSON.parse(plain.out)).not.toEqual(JSON.parse(out));
});

test('what a profile misses is told and stands in it', async () => {
  const signed = await sign(one(), '--author', 'Ann <ann@example.test>', '--profile', 'bsi');
  expect(signed.exit, signed.err).toBe(0);
  expect(signed.err).toMatch(/fields? missing\n/);
  expect(JSON.stringify(attested().get(digest('amd64')))).toContain('"tcf:profile');
});

test('every platform of an index has the base of its own platform', async () => {
  const signed = await sign(name('dev'), '--recursive', '--base', name('base'));
  expect(signed.exit, signed.err).toBe(0);
  for (const architecture of ['amd64', 'arm64']) {
    const text = JSON.stringify(attested().get(digest(architecture)));
    expect(text).toContain(image(architecture, 1).manifestDigest);
    expect(text).toMatch(/"tcf:origin","value":"added"/);
  }
});

test.for<readonly [string, () => readonly string[], RegExp]>([
  ['a wish and no SBOM', () => ['--no-sbom', '--base', name('base')], /--base is about an SBOM/],
  ['a wish and an SBOM that is made', () => ['--sbom', 'bom.json', ...people], /--author is about an SBOM/],
  ['a profile that nobody knows', () => ['--profile', 'best'], /--profile does not take "best"/],
  ['a profile without an author', () => ['--profile', 'ntia'], /wants to know who makes the SBOM/],
  ['an author that is nobody', () => ['--author', '<>'], /has no name/],
  ['a base that is none', () => ['--base', `${name('other')}:one`], /is not built on/],
])('%s is asked wrongly, and nothing is pushed', async ([, args, message]) => {
  writeFileSync(join(place.path, 'bom.json'), '{}');
  const before = registry.manifests.size;
  const signed = await sign(one(), ...args());
  expect(signed).toMatchObject({ exit: 3, out: '', err: expect.stringMatching(message) });
  expect(registry.manifests.size).toBe(before);
});
