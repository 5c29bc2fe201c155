import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { catalogers } from '../../src/catalogers/index.ts';
import type { ImageLayer } from '../../src/image/contract.ts';
import { type ScanOptions, scanLayers } from '../../src/image/scan-layers.ts';
import { clearHashRing, hasEnded, hashRing, newHashRing, RingWriter } from '../../src/image/shared-hash.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { memoryImage } from '../support/image.ts';
import { archive, file } from '../support/tar.ts';

const digestOf = (bytes: Uint8Array) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
const pattern = Buffer.from(Array.from({ length: 65_521 }, (_, at) => (at * 7919) % 251));
const noise = (size: number) => Buffer.alloc(size, pattern);

/** Writes in turn with the side that hashes, as far as there is room: in one thread nobody may wait. */
async function hashed(pieces: readonly Uint8Array[], digest: Digest): Promise<void> {
  const ring = newHashRing();
  if (ring === undefined) {
    return expect.unreachable();
  }
  clearHashRing(ring);
  const writer = new RingWriter(ring);
  const hashing = hashRing(ring, digest, 'a layer', new AbortController().signal);
  hashing.catch(() => undefined);
  for (const piece of pieces) {
    writer.push(piece);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect(hasEnded(ring)).toBe(false);
  writer.end();
  expect(hasEnded(ring)).toBe(true);
  await hashing;
}

describe('a layer that another thread hashes', () => {
  const content = noise(300_000);

  test.for<[string, readonly Uint8Array[]]>([
    ['in one piece', [content]],
    ['in many', Array.from({ length: 30 }, (_, at) => content.subarray(at * 10_000, (at + 1) * 10_000))],
    ['with empty pieces', [content.subarray(0, 5), content.subarray(5, 5), content.subarray(5)]],
  ])('%s', async ([, pieces]) => {
    await hashed(pieces, digestOf(content));
    await expect(hashed(pieces, digestOf(Buffer.from('other')))).rejects.toMatchObject({
      code: 'content.digest',
    });
  });

  test('that is abandoned is not judged', async () => {
    const ring = newHashRing();
    if (ring === undefined) {
      return expect.unreachable();
    }
    const writer = new RingWriter(ring);
    writer.push(content);
    writer.abandon();
    await hashRing(ring, digestOf(Buffer.from('other')), 'a layer', new AbortController().signal);
    expect(hasEnded(ring)).toBe(false);
  });

  test('whose reader is gone keeps nobody waiting', async () => {
    const ring = newHashRing();
    if (ring === undefined) {
      return expect.unreachable();
    }
    const stop = new AbortController();
    const hashing = hashRing(ring, digestOf(content), 'a layer', stop.signal);
    new RingWriter(ring).push(content);
    await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await hashing;
  });
});

describe('large layers in threads', () => {
  const startThread = () => new Worker(new URL('../../src/app/scan-thread.ts', import.meta.url));
  const options: ScanOptions = { jobs: 2, threadsFrom: 0, startThread };
  const large = archive(file('a', noise(18 * 1024 * 1024)), file('etc/os-release', 'ID=debian\n'));
  const layers = [large, archive(file('b', noise(17 * 1024 * 1024))), archive(file('c', 'x'))];

  const scanned = async (image: readonly ImageLayer[], more: ScanOptions = options) => {
    const all = [];
    for await (const [at, scan] of scanLayers(image, catalogers, more)) {
      all.push([at, scan]);
    }
    return all;
  };
  /** The first layer as a store has it, of which these are the bytes. */
  const spoiled = (bytes: Uint8Array, mediaType?: string): readonly ImageLayer[] =>
    memoryImage({ layers }).layers.map((layer, index) =>
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
      [{ jobs: 1 }, options].map(
        async (each) => await scanned(spoiled(bytes, ''), each).catch((error: unknown) => String(error)),
      ),
    );
    expect(alone).toMatch(/^TcfError|Error/);
    expect(together).toBe(alone);
  });
});
