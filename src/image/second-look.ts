import { formatBytes } from '../base/size.ts';
import { type Cataloger, contentLimit, type Skipped, type StreamScanner } from '../catalogers/contract.ts';
import { openScanner } from '../catalogers/run.ts';
import type { ImageLayer } from './contract.ts';
import { type Finds, scanLimits, tooMuchSeen } from './finds.ts';
import type { Merged } from './merge.ts';
import { latin1ToText } from './names.ts';
import type { FileNames, NamedFile } from './names-of-files.ts';
import { readLayer } from './read-layer.ts';
import type { Inode } from './rootfs.ts';
import type { TarSink } from './tar.ts';

/**
 * Content that only a second look finds: what is behind links, in real images a handful of text files or a
 * package database, and what was too much for one layer at the first look. The largest database, and some
 * more.
 */
const secondLookLimit: number = 576 * 1024 * 1024;

/** A file that has to be read again, in a layer that has to be read again. */
interface Missed {
  readonly inode: Inode;
  readonly path: string;
  content: boolean;
  /** Places of catalogers, with the name under which their scanner wants to see the file. */
  readonly scanners: Map<number, string>;
}

/**
 * By layer and by position in its archive: what the first look did not keep, since the file had another name
 * there.
 */
export type MissingContent = ReadonlyMap<number, ReadonlyMap<number, Missed>>;

export interface SecondLook {
  readonly missing: MissingContent;
  readonly skipped: readonly Skipped[];
}

/** Compares what the names promise with what was kept. */
export function planSecondLook(
  merged: Merged,
  names: FileNames,
  catalogers: readonly Cataloger[],
): SecondLook {
  const plan = new SecondLookPlan(merged);
  for (const [at, files] of names.wanted.entries()) {
    for (const file of files) {
      plan.want(file, catalogers[at]?.contentLimit ?? contentLimit);
    }
  }
  for (const [at, files] of names.scanned.entries()) {
    for (const file of files) {
      plan.scan(file, at);
    }
  }
  return plan;
}

class SecondLookPlan implements SecondLook {
  readonly missing: Map<number, Map<number, Missed>> = new Map();
  readonly #merged: Merged;
  readonly #skipped: Map<Inode, Skipped> = new Map();
  #left: number = secondLookLimit;

  constructor(merged: Merged) {
    this.#merged = merged;
  }

  get skipped(): readonly Skipped[] {
    return [...this.#skipped.values()];
  }

  /** A content that a cataloger wants, which keeps `most` bytes of one. */
  want(file: NamedFile, most: number): void {
    const found = this.#merged.finds.get(file.inode);
    if (found?.content !== undefined || this.#skipped.has(file.inode)) {
      return;
    }
    const size = this.#merged.rootfs.sizeOf(file.inode);
    if (size > most || (this.#known(file) === undefined && size > this.#left)) {
      const reason = `${formatBytes(size)} is more than is kept`;
      this.#skipped.set(file.inode, { path: latin1ToText(file.path), reason });
      return;
    }
    const missed = this.#missed(file);
    if (!missed.content) {
      this.#left -= size;
    }
    missed.content = true;
  }

  /** A file that the scanner of the cataloger at `at` wants to see under this name. */
  scan(file: NamedFile, at: number): void {
    const found = this.#merged.finds.get(file.inode);
    if (((found?.scanned ?? 0) & (1 << at)) === 0) {
      this.#missed(file).scanners.set(at, latin1ToText(file.path));
    }
  }

  #known({ inode }: NamedFile): Missed | undefined {
    const { rootfs } = this.#merged;
    return this.missing.get(rootfs.layerOf(inode))?.get(rootfs.entryOf(inode));
  }

  #missed(file: NamedFile): Missed {
    const known = this.#known(file);
    if (known !== undefined) {
      return known;
    }
    const { inode, path } = file;
    const { rootfs } = this.#merged;
    const missed: Missed = { inode, path, content: false, scanners: new Map() };
    const entries = this.missing.get(rootfs.layerOf(inode)) ?? new Map<number, Missed>();
    this.missing.set(rootfs.layerOf(inode), entries.set(rootfs.entryOf(inode), missed));
    return missed;
  }
}

/** What scanners may still say, in bytes of JSON, and what was left out of it. */
export interface ObservationBudget {
  left: number;
  readonly skipped: Skipped[];
}

/** Reads one layer again for what was missed in it. */
export async function lookAgain(
  layer: ImageLayer,
  missed: ReadonlyMap<number, Missed>,
  finds: Map<Inode, Finds>,
  budget: ObservationBudget,
  catalogers: readonly Cataloger[],
): Promise<void> {
  await readLayer(layer, {
    wants: ({ index }) => missed.has(index),
    visit(entry) {
      const wanted = missed.get(entry.index);
      return wanted && sinkFor(wanted, entry.size, finds, budget, catalogers);
    },
  });
}

function sinkFor(
  missed: Missed,
  size: number,
  finds: Map<Inode, Finds>,
  budget: ObservationBudget,
  catalogers: readonly Cataloger[],
): TarSink {
  const found: Finds = finds.get(missed.inode) ?? { wanted: 0, scanned: 0, observations: new Map() };
  finds.set(missed.inode, found);
  const scanners: [number, StreamScanner][] = [];
  const open = (head: Uint8Array): void => {
    for (const [at, path] of missed.scanners) {
      const cataloger = catalogers[at];
      const scanner = cataloger && openScanner(cataloger, path, head, budget.skipped);
      if (scanner !== undefined) {
        scanners.push([at, scanner]);
      }
    }
  };
  /** The first bytes, until they are a head. */
  let early: Uint8Array | undefined = found.head === undefined ? new Uint8Array(0) : undefined;
  if (found.head !== undefined) {
    open(found.head);
  }
  const content = missed.content ? new Uint8Array(size) : undefined;
  let filled = 0;
  return {
    push(chunk) {
      content?.set(chunk, filled);
      filled += chunk.length;
      let next = chunk;
      if (early !== undefined) {
        early = Buffer.concat([early, chunk]);
        if (early.length < Math.min(scanLimits.head, size)) {
          return;
        }
        open(early.subarray(0, scanLimits.head));
        next = early;
        early = undefined;
      }
      for (const [, scanner] of scanners) {
        scanner.push(next);
      }
    },
    end() {
      if (content !== undefined) {
        found.content = content;
      }
      for (const [at, scanner] of scanners) {
        const observation = scanner.end();
        if (observation === undefined) {
          continue;
        }
        budget.left -= JSON.stringify(observation).length;
        if (budget.left >= 0) {
          found.observations.set(at, observation);
        } else {
          budget.skipped.push({ path: latin1ToText(missed.path), reason: tooMuchSeen });
        }
      }
    },
  };
}
