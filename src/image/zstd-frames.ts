import { type Bytes, concat } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import type { ByteSource } from './byte-source.ts';

export const zstdMagic: number = 0xfd2fb528;
export const skippableMagic: number = 0x184d2a50;
/** RFC 8878 section 3.1.1.2.4: no block is larger, whatever the window. */
export const maxBlock: number = 128 * 1024;
/** Pieces of one frame go to the decompressor together: each call of it is a job on another thread. */
const pieceSize = 256 * 1024;

/**
 * Cuts a zstd stream into its frames (RFC 8878 section 3.1) without decompressing: each item is one whole
 * frame, to be read before the next is asked for. Skippable frames are skipped. Node 22 and 24 stop after the
 * first frame without an error, and give nothing, also without an error, for a frame that is cut off: both
 * would hide files from a scanner.
 *
 * @throws TcfError `layer.compression` (exit 2) for a frame that is cut off and for anything that is no
 *   frame.
 */
export async function* zstdFrames(source: ByteSource, what: string): AsyncIterable<Bytes> {
  for (;;) {
    const head = await source.exactly(4);
    if (head.length === 0) {
      return;
    }
    const word = head.length === 4 ? uint32(head, 0) : 0;
    if (word === zstdMagic) {
      yield frame(source, head, what);
    } else if ((word & 0xfffffff0) >>> 0 === skippableMagic) {
      await skip(source, what);
    } else {
      throw broken(what, 'there is something that is not a frame');
    }
  }
}

async function* frame(source: ByteSource, head: Uint8Array, what: string): Bytes {
  const pieces: Uint8Array[] = [head];
  let size = head.length;
  const take = async (count: number): Promise<Uint8Array> => {
    const bytes = await source.exactly(count);
    if (bytes.length < count) {
      throw broken(what, 'a frame is cut off');
    }
    pieces.push(bytes);
    size += count;
    return bytes;
  };
  const descriptor = (await take(1))[0] ?? 0;
  await take(restOfHeader(descriptor));
  for (;;) {
    const header = await take(3);
    const word = (header[0] ?? 0) | ((header[1] ?? 0) << 8) | ((header[2] ?? 0) << 16);
    const type = (word >> 1) & 3;
    const length = word >> 3;
    if (type === 3 || length > maxBlock) {
      throw broken(what, 'a block has a reserved type or size');
    }
    await take(type === 1 ? 1 : length);
    const isLast = (word & 1) === 1;
    if (isLast && (descriptor & 4) !== 0) {
      await take(4);
    }
    if (isLast || size >= pieceSize) {
      yield concat(pieces.splice(0), size);
      size = 0;
    }
    if (isLast) {
      return;
    }
  }
}

/** Window descriptor, dictionary id and frame content size: RFC 8878 section 3.1.1.1. */
export function restOfHeader(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionary + contentSize;
}

async function skip(source: ByteSource, what: string): Promise<void> {
  const header = await source.exactly(4);
  if (header.length < 4) {
    throw broken(what, 'a frame is cut off');
  }
  if (!(await source.skip(uint32(header, 0)))) {
    throw broken(what, 'a frame is cut off');
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at, true);
}

function broken(what: string, why: string): TcfError {
  return cannotTell('layer.compression', `cannot decompress ${what}: ${why}`);
}
