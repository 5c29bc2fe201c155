import { constants, deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, collect, concat } from '../../src/base/bytes.ts';
import type { TcfError } from '../../src/base/error.ts';
import { decompressed, decompressLimits } from '../../src/image/decompress.ts';
import { hasInflate, LayerStream } from '../../src/image/layer-stream.ts';
import { digestOf } from '../../src/oci/digest.ts';

const words = Buffer.from('a layer of words, '.repeat(5000));
const zeros = Buffer.alloc(3_000_000);
const checksummed = { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
/** RFC 8878 section 3.1.2: what estargz and zstd:chunked put behind their frames. */
const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('toc')]);

function cutUp(bytes: Uint8Array, cut: number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += cut) {
    chunks.push(bytes.subarray(at, at + cut));
  }
  return chunks;
}

const what = 'layer 3';

/**
 * With the streams of node:zlib, in the calling thread and ahead of it: all give the same, or refuse the
 * same.
 */
async function unpack(bytes: Uint8Array, mediaType = '', cut = bytes.length || 1): Promise<Uint8Array> {
  const streamed = collect(
    decompressed(bytesOf(...cutUp(bytes, cut)), mediaType, what),
    100_000_000,
    what,
  ).catch((error: unknown) => error);
  const result = await streamed;
  const diffId = digestOf(result instanceof Uint8Array ? result : words);
  let unpacked: Uint8Array = Buffer.alloc(0);
  let turn = 0;
  const ways = [() => false, () => true, () => (turn++ >> 1) % 2 === 0];
  for (const isAhead of ways) {
    const pieces: Uint8Array[] = [];
    const keep = (piece: Uint8Array) => {
      pieces.push(Uint8Array.from(piece));
    };
    const stream = new LayerStream({ mediaType, diffId, what }, keep, { isAhead });
    try {
      for (const chunk of cutUp(bytes, cut)) {
        // It may be used again at once.
        const reused = Uint8Array.from(chunk);
        await stream.push(reused);
        reused.fill(0);
      }
      await stream.end();
    } catch (error) {
      expect(result).toMatchObject({ code: (error as TcfError).code, exit: 2 });
      if (isAhead === ways.at(-1)) {
        throw error;
      }
      continue;
    }
    expect(result).toBeInstanceOf(Uint8Array);
    unpacked = concat(pieces);
    expect(digestOf(unpacked)).toBe(diffId);
  }
  return unpacked;
}

test('this Node has the engines that layers are unpacked with', () => {
  expect(hasInflate()).toBe(true);
});

test('a layer that unpacks to something else is refused at its end', async () => {
  const stream = new LayerStream({ mediaType: '', diffId: digestOf(zeros), what }, () => {});
  await stream.push(gzipSync(words));
  await expect(stream.end()).rejects.toMatchObject({ code: 'content.digest' });
});

test.for([
  ['nothing', Buffer.alloc(0), '', 0],
  ['plain bytes', words, 'application/vnd.oci.image.layer.v1.tar', words.length],
  ['three plain bytes', Buffer.from('abc'), '', 3],
  ['one gzip member', gzipSync(words), 'application/vnd.docker.image.rootfs.diff.tar.gzip', words.length],
  [
    'three gzip members',
    concat([gzipSync(words), gzipSync(''), gzipSync(zeros)]),
    '',
    words.length + zeros.length,
  ],
  ['one zstd frame', zstdCompressSync(words), 'application/vnd.oci.image.layer.v1.tar+zstd', words.length],
  [
    'three zstd frames, one empty, one with a checksum',
    concat([zstdCompressSync(words), zstdCompressSync(''), zstdCompressSync(zeros, checksummed)]),
    '',
    words.length + zeros.length,
  ],
  [
    'zstd between skippable frames',
    concat([skippable, zstdCompressSync(words), skippable]),
    '',
    words.length,
  ],
] as const)('reads %s to its end, however it is cut', async ([, bytes, mediaType, size]) => {
  for (const cut of [1013, 4, bytes.length || 1]) {
    expect((await unpack(bytes, mediaType, cut)).length).toBe(size);
  }
});

const badChecksum = zstdCompressSync(words, checksummed);
badChecksum[badChecksum.length - 1] = (badChecksum.at(-1) ?? 0) ^ 1;

test.for([
  ['a gzip member that is cut off', gzipSync(words).subarray(0, -9), 'layer.compression'],
  [
    'a second gzip member that is cut off',
    concat([gzipSync(words), gzipSync(words).subarray(0, 40)]),
    'layer.compression',
  ],
  ['garbage after gzip', concat([gzipSync(words), Buffer.from('more')]), 'layer.compression'],
  [
    'a gzip member hidden behind zero bytes',
    concat([gzipSync(words), Buffer.alloc(8), gzipSync(words)]),
    'layer.compression',
  ],
  ['a zstd frame that is cut off', zstdCompressSync(words).subarray(0, -3), 'layer.compression'],
  [
    'a second zstd frame that is cut off',
    concat([zstdCompressSync(words), zstdCompressSync(words).subarray(0, 9)]),
    'layer.compression',
  ],
  [
    'a skippable frame that is cut off',
    concat([zstdCompressSync(words), skippable.subarray(0, 9)]),
    'layer.compression',
  ],
  ['garbage after zstd', concat([zstdCompressSync(words), Buffer.from('more')]), 'layer.compression'],
  ['a zstd frame with a wrong checksum', badChecksum, 'layer.compression'],
  [
    'a zstd block of a reserved type',
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 7, 0, 0]),
    'layer.compression',
  ],
] as const)('refuses %s', async ([, bytes, code]) => {
  for (const cut of [997, bytes.length]) {
    await expect(unpack(bytes, '', cut)).rejects.toMatchObject({ code, exit: 2 });
  }
});

test.for([
  ['gzip announced, zstd sent', zstdCompressSync(words), 'application/vnd.oci.image.layer.v1.tar+gzip'],
  ['gzip announced, nothing sent', Buffer.alloc(0), 'application/vnd.oci.image.layer.v1.tar+gzip'],
  ['plain announced, gzip sent', gzipSync(words), 'application/vnd.oci.image.layer.v1.tar'],
  ['an encrypted layer', words, 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted'],
  ['a Helm chart', words, 'application/vnd.cncf.helm.config.v1+json'],
] as const)('refuses a media type that lies: %s', async ([, bytes, mediaType]) => {
  await expect(unpack(bytes, mediaType)).rejects.toMatchObject({ code: 'layer.media-type' });
});

test.for([
  ['by its ratio', { layer: 1e12, unguarded: 20_000_000, ratio: 500 }],
  ['by its size', { layer: 20_000_000, unguarded: 1e12, ratio: 1e9 }],
] as const)('stops a bomb long before its end, %s', async ([, limits]) => {
  const member = gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
  let sent = 0;
  let size = 0;
  async function* bomb() {
    for (; sent < 1000; sent += 1) {
      yield member;
    }
  }
  const explode = async () => {
    for await (const chunk of decompressed(bomb(), '', 'layer 3', limits)) {
      size += chunk.length;
    }
  };
  await expect(explode()).rejects.toMatchObject({ code: 'layer.too-large' });
  expect(size).toBeLessThan(100_000_000);
  expect(sent).toBeLessThan(10);

  for (const isAhead of [() => false, () => true]) {
    let emitted = 0;
    const count = (piece: Uint8Array) => {
      emitted += piece.length;
    };
    const stream = new LayerStream({ mediaType: '', diffId: digestOf(words), what }, count, {
      isAhead,
      limits,
    });
    const burst = async () => {
      for (let sends = 0; sends < 10; sends += 1) {
        await stream.push(member);
      }
    };
    await expect(burst()).rejects.toMatchObject({ code: 'layer.too-large' });
    expect(emitted).toBeLessThan(100_000_000);
  }
});

test('what the reader of a layer throws comes through, with what was unpacked ahead left alone', async () => {
  const refuse = () => {
    throw new RangeError('not this one');
  };
  for (const isAhead of [() => false, () => true]) {
    const stream = new LayerStream({ mediaType: '', diffId: digestOf(zeros), what }, refuse, { isAhead });
    const read = async () => {
      for (const chunk of cutUp(gzipSync(zeros), 500)) {
        await stream.push(chunk);
      }
      await stream.end();
    };
    await expect(read()).rejects.toThrow('not this one');
  }
});

test('a layer of zeros below the guard is a sparse file, not a bomb', async () => {
  expect(decompressLimits.unguarded).toBeGreaterThan(1024 ** 3);
  expect((await unpack(gzipSync(zeros))).length).toBe(zeros.length);
});

test('an error of the source comes through as it is', async () => {
  async function* failing() {
    yield gzipSync(words).subarray(0, 100);
    throw new TypeError('the network is gone');
  }
  await expect(collect(decompressed(failing(), '', 'x'), 1e9, 'x')).rejects.toThrow('the network is gone');
});

test('closes the source when the reader stops early', async () => {
  let closed = false;
  async function* endless() {
    try {
      for (;;) {
        yield gzipSync(zeros);
      }
    } finally {
      closed = true;
    }
  }
  for await (const _chunk of decompressed(endless(), '', 'x')) {
    break;
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(closed).toBe(true);
});

test('members and frames in any number give the same bytes', async () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(parts, fc.boolean(), fc.integer({ min: 1, max: 300 }), async (pieces, isGzip, cut) => {
      const packed = concat(pieces.map((piece) => (isGzip ? gzipSync(piece) : zstdCompressSync(piece))));
      expect(Buffer.from(await unpack(packed, '', cut))).toEqual(Buffer.concat(pieces));
    }),
    { numRuns: 40, seed: 20261123 },
  );
});

test('raw deflate is not taken for anything', async () => {
  const bytes = deflateRawSync(words);
  expect(await unpack(bytes)).toEqual(new Uint8Array(bytes));
});
