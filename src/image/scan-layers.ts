import type { Worker } from 'node:worker_threads';
import { inParallel } from '../base/parallel.ts';
import type { Cataloger } from '../catalogers/contract.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageLayer } from './contract.ts';
import { nameOf, type ReadOptions, readLayer } from './read-layer.ts';
import { type LayerScan, LayerScanner } from './scan-layer.ts';
import { ScanPool } from './scan-pool.ts';

/** A thread takes some 40 ms to start: below this the layers are read before it runs. */
const defaultThreadsFrom = 16 * 1024 * 1024;
/**
 * What is found in layers that wait for lower ones. A layer keeps up to `scanLimits.layerContent`, but hardly
 * one has a tenth of it.
 */
const heldLimit = 64 * 1024 * 1024;
/** Layers of one stream that may be read before those below them. */
const streamWindow = 8;
/** Questions to a cache that may lie behind a network. */
const askedAtOnce = 8;

/** What is missing in what such a layer says. */
const readInParts =
  'read in parts: no program was looked into, and no archive; whether files are as their packages list them is not known';

export interface ScanOptions {
  /** Layers that are read at a time, each in a thread; 1: in this one. Default 1. */
  readonly jobs?: number;
  /**
   * Starts a thread that calls `serveScans` with the same catalogers. Without it all layers are read in this
   * one.
   */
  readonly startThread?: () => Worker;
  /** Stored bytes of all layers that are read from which on threads are started. */
  readonly threadsFrom?: number;
  /** What layers said before. */
  readonly cache?: LayerCache;
  /** Who is told how far the scan is. */
  readonly observer?: ScanObserver;
}

/**
 * Is told how far a scan is, often and in no order of layers: it must be quick and never throw. Nothing of
 * the result depends on it.
 */
export interface ScanObserver {
  /** Once, before anything is read. */
  begins(layers: readonly ImageLayer[]): void;
  /** So many more bytes of a layer were read: stored ones, or of the archive where it is read in place. */
  read(layer: ImageLayer, bytes: number): void;
  /** A layer was read to its end or came out of a cache. @param bytes of it without its compression. */
  ended(layer: ImageLayer, bytes: number): void;
}

/**
 * Keeps what a layer says under its diffID, for one version of the catalogers. A layer that is found there is
 * not read, and not fetched from a registry. Neither answer is ever an error.
 */
export interface LayerCache {
  has(diffId: Digest): Promise<boolean>;
  /** `undefined` where it is not there, or not what was kept. */
  load(diffId: Digest): Promise<LayerScan | undefined>;
  keep(diffId: Digest, scan: LayerScan): Promise<void>;
}

/**
 * Reads layers, several at a time, and hands them out from the lowest to the highest. The largest begin
 * first, so that no thread is left alone with one at the end.
 */
export async function* scanLayers(
  layers: readonly ImageLayer[],
  catalogers: readonly Cataloger[],
  { cache, jobs = 1, observer, startThread, threadsFrom = defaultThreadsFrom }: ScanOptions = {},
): AsyncIterable<readonly [number, LayerScan]> {
  // What lies in a store may be changed there, and its digest is not recomputed: the diffID says nothing
  // about it.
  const isKept = ({ stored }: ImageLayer): boolean => stored.split === undefined || stored.split.isVerified;
  // Parts of it say less than it does.
  const isWhole = (layer: ImageLayer): boolean => isKept(layer) && layer.stored.partial === undefined;
  const known = await inParallel(layers, askedAtOnce, async (layer) =>
    isKept(layer) ? ((await cache?.has(layer.diffId)) ?? false) : false,
  );
  const unread = layers.filter((_, at) => known[at] !== true);
  // A stream that was read past a layer begins again for it.
  const isOneStream = unread.some(({ stored }) => stored.position !== undefined);
  const whole = unread.filter(({ stored }) => stored.partial === undefined);
  const width = isOneStream ? 1 : Math.min(jobs, unread.length);
  const isWorth = Math.min(width, whole.length) > 1 && sizeOf(whole) >= threadsFrom;
  const pool = isWorth && startThread !== undefined ? await ScanPool.open(width, startThread) : undefined;
  const here = async (layer: ImageLayer, options: ReadOptions): Promise<LayerScan> => {
    const isPartial = layer.stored.partial !== undefined;
    const scanner = new LayerScanner(catalogers, isPartial);
    const bytes = await readLayer(layer, scanner, options);
    if (isPartial) {
      scanner.skip(nameOf(layer), readInParts);
    }
    return scanner.finish(bytes);
  };
  const readBy = (
    layer: ImageLayer,
    options: ReadOptions & { readonly signal: AbortSignal },
  ): Promise<LayerScan> =>
    pool === undefined || layer.stored.partial !== undefined
      ? here(layer, options)
      : pool.scan(layer, options);
  const read = (layer: ImageLayer, signal: AbortSignal): Promise<LayerScan> =>
    readBy(layer, { signal, onRead: (bytes) => observer?.read(layer, bytes) });
  const scan = async (layer: ImageLayer, signal: AbortSignal): Promise<LayerScan> => {
    if (cache === undefined || !isKept(layer)) {
      return await read(layer, signal);
    }
    const known = await cache.load(layer.diffId);
    if (known !== undefined) {
      return known;
    }
    const scanned = await read(layer, signal);
    if (isWhole(layer)) {
      await cache.keep(layer.diffId, scanned);
    }
    return scanned;
  };
  const told = async (layer: ImageLayer, signal: AbortSignal): Promise<LayerScan> => {
    const scanned = await scan(layer, signal);
    observer?.ended(layer, scanned.bytes);
    return scanned;
  };
  try {
    observer?.begins(layers);
    // Parts come by requests, which keep no core busy.
    yield* inOrder(layers, pool?.size ?? (whole.length === 0 ? Math.max(1, width) : 1), told);
  } finally {
    await pool?.[Symbol.asyncDispose]();
  }
}

function sizeOf(layers: readonly ImageLayer[]): number {
  // An unknown size is that of a store or a compressed archive, which are worth it.
  return layers.reduce((sum, { stored }) => sum + (stored.size ?? defaultThreadsFrom), 0);
}

/** In the order of their stream, or the largest first. */
function byPlace({ stored: a }: ImageLayer, { stored: b }: ImageLayer): number {
  return a.position === undefined || b.position === undefined
    ? (b.size ?? 0) - (a.size ?? 0)
    : a.position - b.position;
}

/**
 * The lowest layers that are not put together yet, among which the next one is chosen. What it says is held
 * until those below are there, and each has two cores to be read by (`Inflate.pushAhead`): to look further costs
 * memory and hardly saves time, but in one stream it saves the reading of it again.
 */
function windowOf(layers: readonly ImageLayer[], width: number): number {
  if (layers.some(({ stored }) => stored.position !== undefined)) {
    return streamWindow;
  }
  return width > 1 ? width + 1 : 1;
}

/** Nothing depends on which layer was faster. */
async function* inOrder(
  layers: readonly ImageLayer[],
  width: number,
  scan: (layer: ImageLayer, signal: AbortSignal) => Promise<LayerScan>,
): AsyncIterable<readonly [number, LayerScan]> {
  const abort = new AbortController();
  const running = new Map<ImageLayer, Promise<void>>();
  const done = new Map<ImageLayer, LayerScan>();
  const failed = new Map<ImageLayer, unknown>();
  const window = windowOf(layers, width);
  let held = 0;
  const begin = (layer: ImageLayer): void => {
    const ended = scan(layer, abort.signal)
      .then(
        (scanned) => {
          done.set(layer, scanned);
          held += keptIn(scanned);
        },
        (error: unknown) => {
          failed.set(layer, error);
        },
      )
      .finally(() => running.delete(layer));
    running.set(layer, ended);
  };
  try {
    for (const [at, layer] of layers.entries()) {
      while (!done.has(layer)) {
        if (failed.has(layer)) {
          throw failed.get(layer);
        }
        while (running.size < width) {
          const waiting = layers
            .slice(at, held > heldLimit ? at + 1 : at + window)
            .filter((one) => !running.has(one) && !done.has(one) && !failed.has(one));
          const [next] = waiting.sort(byPlace);
          if (next === undefined) {
            break;
          }
          begin(next);
        }
        await Promise.race(running.values());
      }
      const scanned = done.get(layer);
      done.delete(layer);
      if (scanned === undefined) {
        continue;
      }
      held -= keptIn(scanned);
      yield [at, scanned];
    }
  } finally {
    // One layer is bad: the others let go of their files before the image is closed.
    abort.abort();
    await Promise.allSettled(running.values());
  }
}

/** Bytes of content, roughly. */
function keptIn({ finds, paths }: LayerScan): number {
  let kept = paths.bytes.length;
  for (const { content, observationBytes = 0 } of finds.values()) {
    kept += (content?.length ?? 0) + observationBytes;
  }
  return kept;
}
