import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLayerCache } from '../../src/app/layer-cache/layer-cache.ts';
import { makeSbom } from '../../src/app/make-sbom.ts';
import { catalogers } from '../../src/catalogers/index.ts';
import { formatLayerRecord, parseLayerRecord } from '../../src/image/layer-record.ts';
import { readLayer } from '../../src/image/read-layer.ts';
import { LayerScanner } from '../../src/image/scan-layer.ts';
import { folder, type TestHost, testHost } from '../support/host.ts';
import { memoryImage } from '../support/image.ts';
import { archive, file, symlink } from '../support/tar.ts';

const deb = (name: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n`;
const elf = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(70_000, 'LLVM version 17.0.6')]);
const copyright = 'the same text '.repeat(2000);
const base = archive(
  file('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
  file('var/lib/dpkg/status', deb('a')),
  file('usr/lib/x.so', elf),
  file('usr/share/doc/a/copyright', copyright),
  file('usr/share/doc/b/copyright', copyright),
  symlink('lib', 'usr/lib'),
);
const top = (name: string) =>
  archive(file('var/lib/dpkg/status', deb('a') + deb(name)), file('caf\xe9', 'x'));

/** An SBOM, and the layers that were read for it. */
async function scan(host: TestHost, layers: readonly Uint8Array[], cache = true) {
  const read: number[] = [];
  const image = memoryImage({ layers });
  const counted = image.layers.map((layer, index) => ({
    ...layer,
    stored: {
      ...layer.stored,
      open() {
        read.push(index);
        return layer.stored.open();
      },
    },
  }));
  const { document } = await makeSbom(host, { ...image, layers: counted }, { cache });
  return { text: JSON.stringify(document), read };
}

const records = (host: TestHost): readonly string[] => {
  const root = join(host.home, '.cache/tcf/layers');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.layer'))
    .map((name) => join(root, name))
    .sort();
};

test('nothing changed: no layer is read; a changed layer on top: only that one', async () => {
  using work = folder();
  const host = testHost({ cwd: work.path });
  const fresh = await scan(host, [base, top('b')], false);
  expect(fresh.read).toEqual([0, 1]);
  expect(await scan(host, [base, top('b')])).toEqual(fresh);
  expect(await scan(host, [base, top('b')])).toEqual({ ...fresh, read: [] });
  const changed = await scan(host, [base, top('c')]);
  expect(changed.read).toEqual([1]);
  expect(changed.text).toBe((await scan(host, [base, top('c')], false)).text);
  expect(host.err()).toBe('');
});

describe('a cache that is wrong changes nothing, is told of once, and heals', () => {
  test.for([
    ['cut', (path: string) => truncateSync(path, 100)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['of another kind', (path: string) => writeFileSync(path, 'x'.repeat(1000))],
    [
      'changed in one bit',
      (path: string) => {
        const bytes = readFileSync(path);
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
    ],
  ] as const)('%s', async ([, damage]) => {
    using work = folder();
    const host = testHost({ cwd: work.path });
    const fresh = await scan(host, [base, top('b')]);
    for (const path of records(host)) {
      damage(path);
    }
    expect(await scan(host, [base, top('b')])).toEqual(fresh);
    expect(host.err().match(/tcf: warning: /g)).toHaveLength(1);
    expect(await scan(host, [base, top('b')])).toEqual({ ...fresh, read: [] });
  });

  test.for([
    [
      'others may write to it',
      (root: string) => {
        mkdirSync(root, { recursive: true });
        chmodSync(root, 0o777);
      },
    ],
    [
      'a file stands in its place',
      (root: string) => {
        mkdirSync(join(root, '..'), { recursive: true });
        writeFileSync(root, '');
      },
    ],
  ] as const)('it is not used where %s', async ([, spoil]) => {
    using work = folder();
    const host = testHost({ cwd: work.path });
    spoil(join(host.home, '.cache/tcf/layers'));
    const fresh = await scan(host, [base], false);
    expect(await scan(host, [base])).toEqual(fresh);
    expect(await scan(host, [base])).toEqual(fresh);
    expect(host.err()).toContain('the cache of layers is not used');
  });

  test('what another user wrote there is not read', async () => {
    using work = folder();
    using other = folder();
    const theirs = testHost({ cwd: other.path });
    await scan(theirs, [archive(file('etc/os-release', 'ID=evil\n'))]);
    const [poison = ''] = records(theirs);
    const host = testHost({ cwd: work.path, uid: 12_345 });
    const own = testHost({ cwd: work.path });
    const fresh = await scan(own, [base]);
    const [path = ''] = records(own);
    cpSync(poison, path);
    // The folder belongs to somebody else than the user who scans.
    expect(await scan(host, [base])).toEqual(fresh);
    expect(host.err()).toContain('belongs to user');
  });

  test('a folder that goes away while it is used costs time only', async () => {
    using work = folder();
    const host = testHost({ cwd: work.path });
    const cache = await openLayerCache(host);
    rmSync(join(host.home, '.cache'), { recursive: true });
    const [layer] = memoryImage({ layers: [base] }).layers;
    if (layer === undefined) {
      return expect.unreachable();
    }
    const scanner = new LayerScanner(catalogers);
    await cache?.keep(layer.diffId, scanner.finish(await readLayer(layer, scanner)));
    expect(await cache?.load(layer.diffId)).toBeDefined();
  });
});

test('keeps what was used last, within its limit', async () => {
  using work = folder();
  const host = testHost({ cwd: work.path });
  for (const name of ['b', 'c', 'd']) {
    await scan(host, [top(name)]);
  }
  const all = records(host);
  expect(all).toHaveLength(3);
  for (const [at, path] of all.entries()) {
    utimesSync(path, 1000 + at, 1000 + at);
  }
  const size = readFileSync(all[2] ?? '').length;
  const cache = await openLayerCache(host, 2.5 * size);
  const [layer] = memoryImage({ layers: [top('e')] }).layers;
  if (layer === undefined) {
    return expect.unreachable();
  }
  const scanner = new LayerScanner(catalogers);
  await cache?.keep(layer.diffId, scanner.finish(await readLayer(layer, scanner)));
  expect(records(host)).toHaveLength(2);
  expect(records(host)).toContain(all[2]);
  expect(await cache?.has(layer.diffId)).toBe(true);
});

test('a record says what the layer said, and contents that are one stay one', async () => {
  const [layer] = memoryImage({ layers: [base] }).layers;
  if (layer === undefined) {
    return expect.unreachable();
  }
  const scanner = new LayerScanner(catalogers);
  const said = scanner.finish(await readLayer(layer, scanner));
  const read = parseLayerRecord(formatLayerRecord(said));
  expect(read).toEqual(said);
  const shared = [...(read?.finds.values() ?? [])].filter(
    ({ content }) => content?.length === copyright.length,
  );
  expect(shared).toHaveLength(2);
  expect(shared[0]?.content).toBe(shared[1]?.content);
});
