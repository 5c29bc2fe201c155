import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeBom } from '../../src/app/scan.ts';
import { catalogers } from '../../src/catalogers/index.ts';
import type { OpenImage, SourceHost } from '../../src/image/contract.ts';
import { formatLayerRecord, parseLayerRecord } from '../../src/image/layer-record.ts';
import { readLayer } from '../../src/image/read-layer.ts';
import { type LayerScan, LayerScanner } from '../../src/image/scan-layer.ts';
import { type LayerCache, scanLayers } from '../../src/image/scan-layers.ts';
import { openNamedImage, parseImageName } from '../../src/image/source.ts';
import { folder } from '../support/host.ts';
import { buildImage, dockerArchive, ociArchive, writeOciLayout } from '../support/image.ts';
import { runs } from '../support/runs.ts';
import { bundledThread } from '../support/scan-thread.ts';
import { writeStore } from '../support/store.ts';
import { archive, directory, file, hardlink, symlink } from '../support/tar.ts';

/*
 * Every way to read an image gives the same SBOM, byte for byte, or the same refusal: on stacks of layers
 * made to disagree about, with links in circles, whiteouts, hard links across layers, package databases
 * behind links, names that are not UTF-8.
 */

const elf = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(3000, 'LLVM version 17.0.6\0')]);
const deb = (name: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n`;
const contents = [
  'ID=debian\nVERSION_ID="12"\n',
  deb('a'),
  deb('a') + deb('b'),
  'Name: c\nVersion: 1\n',
  'c/__init__.py,sha256=x,1\n',
  elf,
  '',
  'x'.repeat(70_000),
];
const places = [
  'etc/os-release',
  'var/lib/dpkg/status',
  'var/lib/dpkg/info/a.list',
  'usr/lib/python3/dist-packages/c-1.dist-info/METADATA',
  'usr/lib/python3/dist-packages/c-1.dist-info/RECORD',
  'usr/lib/libx.so',
  'opt/tool',
  'opt/caf\xe9',
];
const folders = ['etc', 'var', 'var/lib', 'var/lib/dpkg', 'usr', 'usr/lib', 'usr/lib/python3', 'opt', 'lib'];
const anyPlace = fc.constantFrom(...places, ...folders);
const hidden = (path: string) => path.replace(/([^/]*)$/, '.wh.$1');

const entry: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...places), fc.constantFrom(...contents))
      .map(([path, content]) => file(path, content)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...folders).map((path) => directory(path)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(anyPlace, fc.constantFrom('..', '/', '/opt', '../lib', 'dpkg', '/usr/lib', '/nowhere'))
      .map(([path, to]) => symlink(path, to)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...places), fc.constantFrom(...places))
      .map(([path, to]) => hardlink(path, to)),
  },
  { weight: 1, arbitrary: anyPlace.map((path) => file(hidden(path))) },
  { weight: 1, arbitrary: fc.constantFrom(...folders).map((path) => file(`${path}/.wh..wh..opq`)) },
);
const stacks = fc.array(fc.array(entry, { maxLength: 7 }), { minLength: 1, maxLength: 4 });

const linux = { os: 'linux', architecture: 'amd64' };

/** The whole BOM but for what says how the image was read. */
async function said(image: OpenImage, options: Parameters<typeof makeBom>[2]): Promise<string> {
  const { properties, subject, ...bom } = await makeBom(image, undefined, options);
  const { repository: _repository, manifestDigest: _manifest, name: _name, ...about } = subject;
  return JSON.stringify({
    ...bom,
    about,
    properties: properties.filter(({ name }) => name !== 'tcf:layer-digests'),
  });
}

const outcome = async (read: () => Promise<string>): Promise<string> =>
  await read().catch((error: Error & { code?: string }) => {
    if (error.code === undefined) {
      throw error;
    }
    return `${error.code}`;
  });

/** A cache in memory, which keeps records as the one on disk does. */
function memoryCache(): LayerCache {
  const records = new Map<string, Uint8Array>();
  return {
    has: async (diffId) => records.has(diffId),
    load: async (diffId): Promise<LayerScan | undefined> => {
      const record = records.get(diffId);
      return record && parseLayerRecord(record);
    },
    keep: async (diffId, scan) => {
      records.set(diffId, formatLayerRecord(scan));
    },
  };
}

const stackCount = runs(300, 12);

test('hostile stacks give one SBOM from every store in every mode', async () => {
  let whole = 0;
  let stackNumber = 0;
  await fc.assert(
    fc.asyncProperty(stacks, async (stack) => {
      using work = folder();
      const layers = stack.map((members) => archive(...members));
      const host: SourceHost = {
        cwd: work.path,
        env: {},
        home: work.path,
        uid: 1000,
        registry: () => expect.unreachable(),
      };
      const image = buildImage({ layers });
      writeOciLayout(join(work.path, 'gzip'), { image });
      writeOciLayout(join(work.path, 'zstd'), { image: buildImage({ layers, compression: 'zstd' }) });
      writeFileSync(join(work.path, 'oci.tar'), ociArchive({ image }));
      writeFileSync(join(work.path, 'a.tar'), dockerArchive(image, layers, []));
      writeFileSync(join(work.path, 'a.tgz'), gzipSync(dockerArchive(image, layers, [])));
      mkdirSync(join(work.path, 'store'));
      writeStore(join(work.path, 'store'), image, stack);
      const store = `containers-storage:[overlay@${work.path}/store+/run]a`;
      const read = async (name: string, options: Parameters<typeof makeBom>[2] = {}, verifyLayers = false) =>
        await outcome(async () => {
          await using opened = await openNamedImage(parseImageName(name), linux, { ...host, verifyLayers });
          return await said(opened, { jobs: 1, ...options });
        });
      const expected = await read('oci:gzip');
      if (expected.startsWith('{')) {
        whole += 1;
      }
      const cache = memoryCache();
      const modes: readonly (readonly [string, () => Promise<string>])[] = [
        ['zstd', () => read('oci:zstd')],
        ['oci-archive', () => read('oci-archive:oci.tar')],
        ['docker-archive', () => read('docker-archive:a.tar')],
        ['compressed archive', () => read('docker-archive:a.tgz')],
        ['store in place', () => read(store)],
        ['store, verified', () => read(store, {}, true)],
        ['cold cache', () => read('oci:gzip', { cache })],
        ['warm cache', () => read('oci:gzip', { cache }).then(() => read('oci:zstd', { cache }))],
      ];
      // Two of them for each stack, in turn: each mode sees 75.
      for (const turn of [0, 3]) {
        const [mode, readIt] = modes[(stackNumber + turn) % modes.length] ?? ['', expect.unreachable];
        expect([mode, await readIt()]).toEqual([mode, expected]);
      }
      stackNumber += 1;
    }),
    { numRuns: stackCount, seed: 20261130 },
  );
  // Most stacks must be images, or nothing was compared.
  expect(whole).toBeGreaterThan(stackCount / 3);
}, 240_000);

test('layers say the same in threads and with the streams of node:zlib', async () => {
  const many = fc.sample(stacks, { numRuns: 40, seed: 7 }).flat();
  using work = folder();
  const layers = many.map((members) => archive(...members));
  writeOciLayout(work.path, { image: buildImage({ layers }) });
  const host: SourceHost = {
    cwd: work.path,
    env: {},
    home: work.path,
    uid: 1000,
    registry: () => expect.unreachable(),
  };
  await using image = await openNamedImage(parseImageName('oci:.'), linux, host);
  const startThread = await bundledThread(work.path);
  const threads = scanLayers(image.layers, catalogers, { jobs: 3, threadsFrom: 0, startThread });
  for await (const [index, scan] of threads) {
    const layer = image.layers[index];
    if (layer === undefined) {
      return expect.unreachable();
    }
    for (const streams of [false, true]) {
      const scanner = new LayerScanner(catalogers);
      expect(scanner.finish(await readLayer(layer, scanner, { streams }))).toEqual(scan);
    }
  }
}, 60_000);
