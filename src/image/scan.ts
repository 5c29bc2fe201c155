import type { Bytes } from '../base/bytes.ts';
import type { Cataloger, Skipped, Tree } from '../catalogers/contract.ts';
import type { ImageLayer, OpenImage } from './contract.ts';
import { Merger } from './merge.ts';
import { joinPath, toText } from './names.ts';
import { findNames } from './names-of-files.ts';
import { type Rootfs, root } from './rootfs.ts';
import { type LayerScan, scanLayer, scanLimits } from './scan-layer.ts';
import { lookAgain, type ObservationBudget, planSecondLook } from './second-look.ts';
import { treeOf } from './tree.ts';

/** Layers that are read at a time. More would not be faster on the way through one digest, and each keeps what it finds in memory. */
const parallel = 2;

export interface ScannedImage {
  /** The image as `cataloger`, one of those that were scanned for, may see it. */
  treeFor<Seen extends object>(cataloger: Cataloger<Seen>): Tree<Seen>;
  /** What could not be looked at, ordered as found; paths are text and may hold anything. */
  readonly skipped: readonly Skipped[];
  /** Visible regular files that begin as ELF, PE or Mach-O files do, as text, ordered by directory. */
  executables(): Iterable<string>;
  readonly stats: ScanStats;
}

export interface ScanStats {
  readonly layers: number;
  /** Entries of all layers, hidden ones included. */
  readonly entries: number;
  /** Bytes of the uncompressed layers. */
  readonly bytes: number;
  /** Layers that were read a second time, for files behind links. */
  readonly readAgain: number;
}

/**
 * Reads every layer of an image once, two at a time, and puts them on one another; layers with files that catalogers want only under the name a
 * link gives them are read once more. Nothing is written to disk, and files of no interest cost some 100 bytes each.
 *
 * @throws TcfError (exit 2) when a layer cannot be read, is not what the image says, or could not be unpacked by any engine.
 */
export async function scanImage(image: OpenImage, catalogers: readonly Cataloger[]): Promise<ScannedImage> {
  const merger = new Merger(catalogers);
  let entries = 0;
  let bytes = 0;
  const count = (size: number) => {
    bytes += size;
  };
  const scan = (layer: ImageLayer, signal: AbortSignal): Promise<LayerScan> =>
    scanLayer(counted(layer.open(), count, signal), catalogers, nameOf(layer));
  for await (const [index, scanned] of inOrder(image.layers, scan)) {
    merger.apply(scanned, index);
    entries += scanned.count;
  }
  const names = findNames(merger, catalogers);
  const { missing, skipped } = planSecondLook(merger, names, catalogers);
  const budget: ObservationBudget = { left: scanLimits.layerObservations, skipped: [] };
  for (const [index, missed] of missing) {
    const layer = image.layers[index];
    if (layer !== undefined)
      await lookAgain(layer.open(), missed, merger.finds, budget, catalogers, nameOf(layer));
  }
  const { layers, config } = image;
  return {
    treeFor: (cataloger) => treeOf({ merged: merger, names, layers, config }, catalogers.indexOf(cataloger)),
    skipped: [...merger.skipped, ...names.skipped, ...skipped, ...budget.skipped],
    executables: () => programFiles(merger.rootfs, merger.programs),
    stats: { layers: layers.length, entries, bytes, readAgain: missing.size },
  };
}

function nameOf({ index, diffId }: ImageLayer): string {
  return `layer ${index} (${diffId})`;
}

/** Runs at most `parallel` scans at a time and hands their results out in order, so that nothing depends on which was faster. */
async function* inOrder(
  layers: readonly ImageLayer[],
  scan: (layer: ImageLayer, signal: AbortSignal) => Promise<LayerScan>,
): AsyncIterable<readonly [number, LayerScan]> {
  const running: Promise<LayerScan>[] = [];
  const abort = new AbortController();
  const waiting = layers.values();
  try {
    for (let index = 0; index < layers.length; index += 1) {
      while (running.length < parallel) {
        const layer = waiting.next();
        if (layer.done === true) break;
        const scanned = scan(layer.value, abort.signal);
        // Whoever awaits it sees the error; a layer that fails while another is awaited must not end the process.
        scanned.catch(() => undefined);
        running.push(scanned);
      }
      const next = running.shift();
      if (next !== undefined) yield [index, await next];
    }
  } finally {
    // One layer is bad: the other one lets go of its file before the image is closed.
    abort.abort();
    await Promise.allSettled(running);
  }
}

async function* counted(bytes: Bytes, count: (size: number) => void, signal: AbortSignal): Bytes {
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    count(chunk.length);
    yield chunk;
  }
}

function* programFiles(rootfs: Rootfs, programs: ReadonlySet<number>): Iterable<string> {
  const todo: [string, number][] = [['', root]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [path, directory] = next;
    for (const [name, inode] of rootfs.childrenOf(directory)) {
      if (rootfs.typeOf(inode) === 'directory') todo.push([joinPath(path, name), inode]);
      else if (programs.has(inode)) yield toText(joinPath(path, name));
    }
  }
}
