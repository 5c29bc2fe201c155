import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/base/bytes.ts';
import { catalogers } from '../../src/catalogers/index.ts';
import type { ImageLayer, OpenImage } from '../../src/image/contract.ts';
import { readLayer } from '../../src/image/read-layer.ts';
import { scanImage } from '../../src/image/scan.ts';
import { LayerScanner } from '../../src/image/scan-layer.ts';
import { type ScanOptions, scanLayers } from '../../src/image/scan-layers.ts';
import { openNamedImage, parseImageName } from '../../src/image/source.ts';
import { folder } from '../support/host.ts';
import { buildImage, dockerArchive, memoryImage, writeOciLayout } from '../support/image.ts';
import { bundledThread } from '../support/scan-thread.ts';
import { archive, directory, file, hardlink, symlink } from '../support/tar.ts';

const place = folder();
const fromSource = () => new Worker(new URL('../../src/app/scan-thread.ts', import.meta.url));
const threads: ScanOptions = {
  jobs: 3,
  threadsFrom: 0,
  startThread: await bundledThread(place.path),
};
afterAll(() => place[Symbol.dispose]());

const status = (name: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n`;
const elf = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(300_000, 'llvm')]);
const long = 'the licence of boost '.repeat(20_000);
const layers = [
  archive(
    file('etc/os-release', 'ID=debian\n'),
    file('var/lib/dpkg/status', status('a')),
    directory('usr/lib'),
    symlink('lib', 'usr/lib'),
    file('usr/lib/tool', elf),
  ),
  archive(
    file('var/lib/dpkg/status', status('b')),
    file('usr/share/doc/a/copyright', long),
    file('usr/share/doc/b/copyright', long),
    hardlink('usr/lib/other', 'usr/lib/tool'),
    file('caf\xe9', 'x'),
  ),
  archive(file('usr/share/doc/.wh.a'), file('var/lib/dpkg/info/b.list', '/.\n/usr\n')),
  archive(file('hidden/METADATA', 'Name: c\nVersion: 1\n'), symlink('x/c-1.dist-info', '/hidden')),
];

/** All that catalogers are shown. */
async function seen(image: OpenImage, options?: ScanOptions): Promise<string> {
  const scanned = await scanImage(image, catalogers, options);
  return JSON.stringify({
    ...scanned.stats,
    skipped: scanned.skipped,
    executables: [...scanned.executables()],
    trees: catalogers.map((cataloger) => {
      const tree = scanned.treeFor(cataloger);
      return [
        cataloger.name,
        tree.wanted().map((found) => [found, Buffer.from(found.content() ?? []).toString('latin1')]),
        tree.observed(),
      ];
    }),
  });
}

const image = () => memoryImage({ layers });

test('an image of several layers is the same, whoever reads them', async () => {
  const expected = await seen(image());
  expect(expected).toContain('the licence of boost');
  expect(await seen(image(), threads)).toEqual(expected);
  expect(await seen(image(), { ...threads, jobs: 2, startThread: fromSource })).toEqual(expected);
});

describe('every store gives the same', () => {
  const linux = { os: 'linux', architecture: 'amd64' };
  const built = buildImage({ layers });
  const saved = dockerArchive(built, layers, ['a:b']);

  test.for([
    'oci:gzip',
    'oci:zstd',
    'oci:none',
    'docker-archive:a.tar',
    'docker-archive:a.tar.gz',
    'docker-archive:a.tar.zst',
  ])('%s', async (name) => {
    using work = folder();
    for (const compression of ['gzip', 'zstd', 'none'] as const) {
      writeOciLayout(join(work.path, compression), { image: buildImage({ layers, compression }) });
    }
    writeFileSync(join(work.path, 'a.tar'), saved);
    writeFileSync(join(work.path, 'a.tar.gz'), gzipSync(saved));
    writeFileSync(join(work.path, 'a.tar.zst'), zstdCompressSync(saved));
    const host = {
      cwd: work.path,
      env: {},
      home: work.path,
      uid: 1000,
      registry: () => expect.unreachable(),
    };
    const expected = await seen(image());
    for (const options of [undefined, threads]) {
      await using opened = await openNamedImage(parseImageName(name), linux, host);
      expect(await seen(opened, options)).toEqual(expected);
    }
  });
});

test('with the streams of node:zlib, where the engine cannot be had', async () => {
  for (const layer of image().layers) {
    const scanOf = async (streams: boolean) => {
      const scanner = new LayerScanner(catalogers);
      return scanner.finish(await readLayer(layer, scanner, { streams }));
    };
    expect(await scanOf(true)).toEqual(await scanOf(false));
  }
});

describe('without threads the image is read all the same', () => {
  test.for([
    [
      'none can be started',
      () => {
        throw new Error('no memory');
      },
    ],
    ['their program is not there', () => new Worker(new URL('./none.ts', import.meta.url))],
    ['they end at once', () => new Worker('process.exit(3)', { eval: true })],
    ['they fail at once', () => new Worker('throw new Error("no")', { eval: true })],
  ] as const)('%s', async ([, start]) => {
    expect(await seen(image(), { ...threads, startThread: start })).toEqual(await seen(image()));
  });
});

test('a thread that ends while it reads is an error, and no image that lacks something', async () => {
  const program = `const { parentPort } = require('node:worker_threads');
parentPort.on('message', () => process.exit(1));
parentPort.postMessage({ kind: 'ready' });`;
  const start = () => new Worker(program, { eval: true });
  await expect(seen(image(), { ...threads, startThread: start })).rejects.toThrow('has ended');
});

describe('what is wrong is said in the same words', () => {
  const bad = (at: number, stored: Partial<ImageLayer['stored']>): OpenImage => {
    const good = image();
    return {
      ...good,
      layers: good.layers.map((layer, index) =>
        index === at ? { ...layer, stored: { ...layer.stored, ...stored } } : layer,
      ),
    };
  };
  async function* failing() {
    yield gzipSync('x').subarray(0, 5);
    throw new TypeError('the network is gone');
  }

  test.for([
    ['another layer', bad(1, { open: () => bytesOf(archive(file('a', 'x'))) })],
    ['a layer that is cut off', bad(2, { open: () => bytesOf((layers[2] ?? elf).subarray(0, 700)) })],
    ['no layer', bad(0, { open: () => bytesOf(Buffer.alloc(5000, 'x')) })],
    ['gzip that is cut off', bad(3, { open: () => bytesOf(gzipSync(layers[3] ?? '').subarray(0, -9)) })],
    ['another media type', bad(0, { mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' })],
    ['a source that fails', bad(1, { open: failing })],
    ['a file that is not there', bad(1, { file: { path: '/nowhere/at/all' }, open: failing })],
    [
      'two layers, the lowest counts',
      {
        ...bad(1, { open: failing }),
        layers: [...bad(1, { open: failing }).layers].toSpliced(
          3,
          1,
          ...bad(3, { mediaType: 'x' }).layers.slice(3),
        ),
      },
    ],
  ] as const)('%s', async ([, wrong]) => {
    const said = async (options?: ScanOptions) =>
      await seen(wrong, options).then(
        () => expect.unreachable(),
        (error: Error & { code?: string; exit?: number; hint?: string }) => [
          error.code,
          error.exit,
          error.message,
          error.hint,
        ],
      );
    expect(await said(threads)).toEqual(await said());
  });
});

test('layers come in their order, and no more are read than there are threads', async () => {
  let running = 0;
  let most = 0;
  const many = memoryImage({ layers: Array.from({ length: 40 }, (_, at) => archive(file(`f${at}`, 'x'))) });
  const slow = many.layers.map((layer, at) => ({
    ...layer,
    stored: {
      ...layer.stored,
      size: (at * 7919) % 100,
      async *open() {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        yield* layer.stored.open();
        running -= 1;
      },
    },
  }));
  const order: number[] = [];
  for await (const [index, { count }] of scanLayers(slow, [], threads)) {
    order.push(index * count);
  }
  expect(order).toEqual(many.layers.map((_, at) => at));
  expect(most).toBeLessThanOrEqual(3);
});

test.for([
  ['in one thread', {}],
  ['in three', threads],
] as const)('an observer hears of every byte and every layer, %s', async ([, options]) => {
  const heard = new Map<number, number>();
  const ended: (readonly [number, number])[] = [];
  let begun: readonly ImageLayer[] = [];
  const { layers: read, ...rest } = image();
  await scanImage({ ...rest, layers: read } as OpenImage, catalogers, {
    ...options,
    observer: {
      begins: (all) => {
        begun = all;
      },
      read: ({ index }, bytes) => heard.set(index, (heard.get(index) ?? 0) + bytes),
      ended: ({ index }, bytes) => ended.push([index, bytes]),
    },
  });
  expect(begun).toEqual(read);
  expect([...heard].sort(([a], [b]) => a - b)).toEqual(
    read.map(({ index, stored }) => [index, stored.size ?? layers[index]?.length]),
  );
  expect(ended.toSorted(([a], [b]) => a - b)).toEqual(layers.map((bytes, index) => [index, bytes.length]));
});

const pattern = Buffer.from(Array.from({ length: 65_521 }, (_, at) => (at * 7919) % 251));
const noise = (size: number) => Buffer.alloc(size, pattern);

describe('large layers in threads', () => {
  const large = archive(file('a', noise(18 * 1024 * 1024)), file('etc/os-release', 'ID=debian\n'));
  const three = [large, archive(file('b', noise(17 * 1024 * 1024))), archive(file('c', 'x'))];

  const scanned = async (image: readonly ImageLayer[], more: ScanOptions = threads) => {
    const all = [];
    for await (const [at, scan] of scanLayers(image, catalogers, more)) {
      all.push([at, scan]);
    }
    return all;
  };
  /** The first layer as a store has it, of which these are the bytes. */
  const spoiled = (bytes: Uint8Array, mediaType?: string): readonly ImageLayer[] =>
    memoryImage({ layers: three }).layers.map((layer, index) =>
      index > 0
        ? layer
        : {
            ...layer,
            stored: {
              mediaType: mediaType ?? layer.stored.mediaType,
              size: Math.max(bytes.length, 17 * 1024 * 1024),
              async *open() {
                for (let at = 0; at < bytes.length; at += 1024 * 1024) {
                  yield bytes.subarray(at, at + 1024 * 1024);
                }
              },
            },
          },
    );

  test('say what they say where one thread does all', { timeout: 60_000 }, async () => {
    const plain = spoiled(large, '');
    expect(await scanned(plain)).toEqual(await scanned(plain, { jobs: 1 }));
    expect(await scanned(spoiled(gzipSync(large, { level: 1 }), ''))).toEqual(
      await scanned(plain, { jobs: 1 }),
    );
  });

  const changed = Uint8Array.from(large);
  changed[10 * 1024 * 1024] = (changed[10 * 1024 * 1024] ?? 0) ^ 1;
  test.for<[string, Uint8Array]>([
    ['other bytes', changed],
    ['other bytes in gzip', gzipSync(changed, { level: 1 })],
    ['a cut archive', large.subarray(0, 17 * 1024 * 1024)],
    ['a cut stream of gzip', gzipSync(large, { level: 1 }).subarray(0, 100_000)],
    ['no archive', Buffer.concat([Buffer.alloc(512, 1), large])],
  ])('fail alike: %s', { timeout: 60_000 }, async ([, bytes]) => {
    const [alone, together] = await Promise.all(
      [{ jobs: 1 }, threads].map(
        async (each) => await scanned(spoiled(bytes, ''), each).catch((error: unknown) => String(error)),
      ),
    );
    expect(alone).toMatch(/^TcfError|Error/);
    expect(together).toBe(alone);
  });
});
