import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { compact } from '../base/compact.ts';
import { cannotTell, reasonOf } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { ContentCheck } from '../oci/digest.ts';
import { BufferPool } from './buffers.ts';
import type { FileRange, ImageLayer } from './contract.ts';
import { hasInflate, LayerStream, type PackedLayer } from './layer-stream.ts';
import type { LayerVisitor } from './scan-layer.ts';
import { readTar, TarReader, type TarVisitor } from './tar.ts';
import { readInPlace } from './tar-split.ts';

const chunkSize = 1024 * 1024;
const pool = new BufferPool(chunkSize);

export interface ReadOptions {
  /** Ends the reading at the next chunk. */
  readonly signal?: AbortSignal;
  /** Is told of bytes that were read, as `ScanObserver`. */
  readonly onRead?: (bytes: number) => void;
  /** Whether to unpack with the streams of `node:zlib`; where `Inflate` cannot be had it is so anyway. */
  readonly streams?: boolean;
}

/**
 * Reads a layer in this thread, from its store to the entries of its archive; how many bytes it has without
 * its compression.
 *
 * @throws TcfError (exit 2) for a layer that cannot be read to its end or is not what it should be.
 */
export async function readLayer(
  layer: ImageLayer,
  visitor: LayerVisitor,
  { onRead, signal, streams = !hasInflate() }: ReadOptions = {},
): Promise<number> {
  const name = nameOf(layer);
  const { skip, visit } = visitor;
  const { partial, split } = layer.stored;
  if (partial !== undefined) {
    // What reads parts is loaded where they are asked for.
    const { readPartial } = await import('./partial/read-partial.ts');
    return await readPartial(layer, partial, visitor, compact({ onRead, signal }));
  }
  if (split !== undefined && !split.isVerified) {
    return readInPlace(
      split,
      (entry) => {
        onRead?.(entry.size);
        return visit(entry);
      },
      name,
      skip,
    );
  }
  if (streams) {
    return await readStreamed(layer, visit, signal);
  }
  const tar = new TarReader(visit, name);
  const stream = new LayerStream(toPacked(layer), (chunk) => tar.push(chunk), {
    isAhead: () => availableParallelism() > 1,
  });
  const push = async (chunk: Uint8Array): Promise<void> => {
    signal?.throwIfAborted();
    onRead?.(chunk.length);
    await stream.push(chunk);
  };
  const { file } = layer.stored;
  if (file === undefined) {
    for await (const chunk of layer.stored.open()) {
      await push(chunk);
    }
  } else {
    await readFileRange(file, push);
  }
  await stream.end();
  tar.end();
  return stream.size;
}

export function toPacked({ diffId, stored, what }: ImageLayer): PackedLayer {
  return { mediaType: stored.mediaType, diffId, what };
}

export function nameOf({ index, diffId }: Pick<ImageLayer, 'diffId' | 'index'>): string {
  return `layer ${index} (${diffId})`;
}

async function readStreamed(
  layer: ImageLayer,
  visit: TarVisitor,
  signal: AbortSignal | undefined,
): Promise<number> {
  let size = 0;
  async function* counted() {
    for await (const chunk of layer.open()) {
      signal?.throwIfAborted();
      size += chunk.length;
      yield chunk;
    }
  }
  await readTar(counted(), visit, nameOf(layer));
  return size;
}

/**
 * Reads part of a file through two buffers: the next chunk is read and hashed while `push` is busy with the
 * one before. As `openRegular`, it does not wait at a pipe.
 *
 * @throws TcfError `image.file`, and as `ContentCheck` (exit 2).
 */
export async function readFileRange(
  { content, length, path, start = 0 }: FileRange,
  push: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const check = content && new ContentCheck(content.digest, content.size, content.what);
  const file = openIn(path);
  const buffers = [pool.take(), pool.take()];
  try {
    if (!fstatSync(file).isFile()) {
      throw cannotTell('image.file', `${quoted(path)} is not a regular file`);
    }
    const end = length === undefined ? Number.MAX_SAFE_INTEGER : start + length;
    let pushing = Promise.resolve();
    for (let at = start, turn = 0, read = -1; at < end && read !== 0; at += read, turn = 1 - turn) {
      const buffer = buffers[turn] ?? pool.take();
      try {
        read = readSync(file, buffer, 0, Math.min(chunkSize, end - at), at);
        check?.push(buffer.subarray(0, read));
      } finally {
        // What is wrong with the chunk before is told first.
        await pushing;
      }
      pushing = push(buffer.subarray(0, read));
    }
    await pushing;
    check?.end();
  } finally {
    closeSync(file);
    pool.give(...buffers);
  }
}

function openIn(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw cannotTell('image.file', `cannot read ${quoted(path)}: ${reasonOf(error)}`, { cause: error });
  }
}
