import { pipeline, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Bytes } from '../base/bytes.ts';
import { cannotTell, reasonOf, TcfError } from '../base/error.ts';
import { formatBytes } from '../base/size.ts';
import { quoted } from '../base/text.ts';
import { ByteSource } from './byte-source.ts';
import { zstdFrames } from './zstd-frames.ts';

const gibi = 1024 ** 3;

export interface DecompressLimits {
  /** Most bytes a layer may unpack to. */
  readonly layer: number;
  /** Bytes up to which no ratio is asked. */
  readonly unguarded: number;
  /** Unpacked bytes for one packed byte, beyond `unguarded`. */
  readonly ratio: number;
}

export const decompressLimits: DecompressLimits = {
  /** The largest layers of machine-learning images have about 20 GiB; three times that is nobody's layer. */
  layer: 64 * gibi,
  /** Below this a bomb costs seconds, and a real sparse file may well be all zeros. */
  unguarded: 8 * gibi,
  /** gzip reaches 1032 on zeros, zstd 32000. Real layers above 8 GiB stay below 20. */
  ratio: 500,
};

/** Big chunks: 20 GiB in the default 16 KiB are 1.3 million turns of the event loop. */
const chunkSize = 256 * 1024;

export type Compression = 'gzip' | 'zstd' | 'none';

/**
 * The plain bytes behind gzip (any number of members), zstd (any number of frames) or nothing. The bytes
 * themselves decide, because a docker-archive names nothing; a media type that names another compression is
 * refused. Streams with backpressure.
 *
 * @throws TcfError (exit 2) `layer.media-type`; `layer.compression` for damaged or truncated data;
 *   `layer.too-large` for a bomb.
 */
export async function* decompressed(
  bytes: Bytes,
  mediaType: string,
  what: string,
  limits: DecompressLimits = decompressLimits,
): Bytes {
  const source = new ByteSource(bytes);
  try {
    const found = compressionOf(await source.peek(4));
    requireNamed(mediaType, found, what);
    yield* guarded(plain(found, source, what), () => source.taken, limits, what);
  } finally {
    await source.close();
  }
}

const described: Readonly<Record<Compression, string>> = {
  gzip: 'gzip',
  zstd: 'zstd',
  none: 'not compressed',
};

function plain(compression: Compression, source: ByteSource, what: string): Bytes {
  if (compression === 'none') {
    return source.rest();
  }
  return compression === 'gzip' ? gunzipped(source, what) : unzstd(source, what);
}

/**
 * By the first four bytes: RFC 1952 section 2.3.1, RFC 8878 sections 3.1.1 and 3.1.2 (skippable frames may
 * come first).
 */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) {
    return 'gzip';
  }
  const isFrame = head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd;
  const isSkippable =
    ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return isFrame || isSkippable ? 'zstd' : 'none';
}

/**
 * @throws TcfError `layer.media-type` (exit 2) where the media type names another compression, or none of a
 *   layer.
 */
export function requireNamed(mediaType: string, found: Compression, what: string): void {
  const named = namedCompression(mediaType, what);
  if (named === undefined || named === found) {
    return;
  }
  throw cannotTell(
    'layer.media-type',
    `${what} is announced as ${quoted(mediaType)}, but its bytes are ${described[found]}`,
  );
}

/** What the media type says; `undefined` where it says nothing. */
function namedCompression(mediaType: string, what: string): Compression | undefined {
  if (/[+.]gzip$/.test(mediaType)) {
    return 'gzip';
  }
  if (/[+.]zstd$/.test(mediaType)) {
    return 'zstd';
  }
  if (/\.tar$/.test(mediaType)) {
    return 'none';
  }
  if (mediaType === '') {
    return undefined;
  }
  throw cannotTell(
    'layer.media-type',
    `${what} has the media type ${quoted(mediaType)}, which is not a layer`,
    {
      hint: 'encrypted layers, Helm charts and other artifacts hold no file system that could be read',
    },
  );
}

async function* gunzipped(source: ByteSource, what: string): Bytes {
  const gunzip = createGunzip({ chunkSize });
  yield* through(gunzip, source.rest(), what);
  // Node ends at a zero byte after a member; Go, and so every engine, refuses the rest. What is refused hides
  // nothing.
  if (gunzip.bytesWritten !== source.taken) {
    throw cannotTell('layer.compression', `${what} has something that is not gzip after its end`);
  }
}

async function* unzstd(source: ByteSource, what: string): Bytes {
  for await (const frame of zstdFrames(source, what)) {
    yield* through(createZstdDecompress({ chunkSize }), frame, what);
  }
}

async function* through(transform: Transform, input: Bytes, what: string): Bytes {
  pipeline(input, transform, () => {
    // The error, if any, comes out of the iteration below: pipeline destroys the transform with it.
  });
  try {
    yield* transform as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof TcfError) {
      throw error;
    }
    throw cannotTell('layer.compression', `cannot decompress ${what}: ${reasonOf(error)}`, { cause: error });
  }
}

async function* guarded(bytes: Bytes, taken: () => number, limits: DecompressLimits, what: string): Bytes {
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    requireHonest(size, taken(), limits, what);
    yield chunk;
  }
}

/** @throws TcfError `layer.too-large` (exit 2) for `taken` bytes that unpack to `size` and are a bomb. */
export function requireHonest(size: number, taken: number, limits: DecompressLimits, what: string): void {
  if (size > limits.layer) {
    throw cannotTell('layer.too-large', `${what} is larger than the limit of ${formatBytes(limits.layer)}`);
  }
  if (size > limits.unguarded && size > limits.ratio * taken) {
    throw cannotTell('layer.too-large', `${what} unpacks to more than ${limits.ratio} times its size`);
  }
}
