import type { Cataloger, Skipped, Tree } from '../catalogers/contract.ts';
import type { OpenImage } from './contract.ts';
import { scanLimits } from './finds.ts';
import { Merger } from './merge.ts';
import { joinPath, latin1ToText } from './names.ts';
import { findNames } from './names-of-files.ts';
import { type Rootfs, root } from './rootfs.ts';
import { type ScanOptions, scanLayers } from './scan-layers.ts';
import { lookAgain, type ObservationBudget, planSecondLook } from './second-look.ts';
import { treeOf } from './tree.ts';

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
 * Reads every layer of an image once, several at a time, and puts them on one another; layers with files that
 * catalogers want only under the name a link gives them are read once more. Nothing is written to disk, and
 * files of no interest cost some 100 bytes each. The result does not depend on the number of threads.
 *
 * @throws TcfError (exit 2) when a layer cannot be read, is not what the image says, or could not be unpacked
 *   by any engine.
 */
export async function scanImage(
  image: OpenImage,
  catalogers: readonly Cataloger[],
  options: ScanOptions = {},
): Promise<ScannedImage> {
  const merger = new Merger(catalogers);
  let entries = 0;
  let bytes = 0;
  for await (const [index, scanned] of scanLayers(image.layers, catalogers, options)) {
    merger.apply(scanned, index);
    entries += scanned.count;
    bytes += scanned.bytes;
  }
  const names = findNames(merger, catalogers);
  const { missing, skipped } = planSecondLook(merger, names, catalogers);
  const budget: ObservationBudget = { left: scanLimits.layerObservations, skipped: [] };
  for (const [index, missed] of missing) {
    const layer = image.layers[index];
    if (layer !== undefined) {
      await lookAgain(layer, missed, merger.finds, budget, catalogers);
    }
  }
  const { layers, config } = image;
  return {
    treeFor: (cataloger) => treeOf({ merged: merger, names, layers, config }, catalogers.indexOf(cataloger)),
    skipped: [...merger.skipped, ...names.skipped, ...skipped, ...budget.skipped],
    executables: () => programFiles(merger.rootfs, merger.programs),
    stats: { layers: layers.length, entries, bytes, readAgain: missing.size },
  };
}

function* programFiles(rootfs: Rootfs, programs: ReadonlySet<number>): Iterable<string> {
  const todo: [string, number][] = [['', root]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [path, directory] = next;
    for (const [name, inode] of rootfs.childrenOf(directory)) {
      if (rootfs.typeOf(inode) === 'directory') {
        todo.push([joinPath(path, name), inode]);
      } else if (programs.has(inode)) {
        yield latin1ToText(joinPath(path, name));
      }
    }
  }
}
