import type { Cataloger } from '../catalogers/contract.ts';
import { programMagics } from '../catalogers/programs/magics.ts';
import { type FolderState, PathMatcher } from './path-matcher.ts';

/** A folder as the globs of all catalogers know it. */
export interface AskedFolder {
  readonly wants: FolderState;
  readonly scans: FolderState;
}

/**
 * Which catalogers are asked about a file: by its name, and by what it begins with. Sets of catalogers are
 * bits in the order of their list, at most 30.
 */
export class Interests {
  /** The folder of the image. */
  readonly root: AskedFolder;
  /** Whether some cataloger does not say which files its scanner is asked about: it is shown all heads. */
  readonly areOpen: boolean;
  readonly #catalogers: readonly Cataloger[];
  readonly #wants: PathMatcher;
  readonly #scans: PathMatcher;
  /** Catalogers whose scanners go by the name alone. */
  readonly #byName: number;
  /** What files begin with that a scanner is asked about, by the first byte. */
  readonly #begins: Map<number, { readonly magic: Buffer; readonly bits: number }[]> = new Map();
  /** First bytes of files that are worth a look. */
  readonly #isStart = new Uint8Array(256);

  constructor(catalogers: readonly Cataloger[]) {
    this.#catalogers = catalogers;
    this.#wants = new PathMatcher(catalogers.map(({ wantedAt }) => wantedAt));
    this.#scans = new PathMatcher(
      catalogers.map(({ scan, scanned }) => (scan === undefined ? [] : scanned?.at)),
    );
    this.root = { wants: this.#wants.root, scans: this.#scans.root };
    this.areOpen = catalogers.some(({ scan, scanned }) => scan !== undefined && scanned === undefined);
    this.#byName = catalogers.reduce(
      (bits, { scanned }, at) => (scanned?.begins === undefined ? bits | (1 << at) : bits),
      0,
    );
    // A program that no scanner is asked about is counted all the same.
    const all = [programMagics, ...catalogers.map(({ scanned }) => scanned?.begins ?? [])];
    for (const [at, begins] of all.entries()) {
      for (const magic of begins) {
        this.#addMagic(Buffer.from(magic, 'latin1'), at === 0 ? 0 : 1 << (at - 1));
      }
    }
    if (this.areOpen) {
      this.#isStart.fill(1);
    }
  }

  enter({ scans, wants }: AskedFolder, name: string): AskedFolder {
    return { wants: this.#wants.enter(wants, name), scans: this.#scans.enter(scans, name) };
  }

  folder(path: string): AskedFolder {
    return { wants: this.#wants.folder(path), scans: this.#scans.folder(path) };
  }

  /** Catalogers that may want a file, whose name starts at `from` of `path`. */
  mayWant({ wants }: AskedFolder, path: string, from: number): number {
    return this.#wants.file(wants, path, from);
  }

  /** Of those that may want it, the ones that do. `text` is the whole path. */
  wanting(candidates: number, text: string): number {
    let bits = 0;
    for (let left = candidates; left !== 0; left &= left - 1) {
      const bit = left & -left;
      if (this.#catalogers[placeOfBit(bit)]?.wants(text)) {
        bits |= bit;
      }
    }
    return bits;
  }

  /** Catalogers whose scanners may be asked about a file by its name. */
  mayScan({ scans }: AskedFolder, path: string, from: number): number {
    return this.#scans.file(scans, path, from);
  }

  /** Of these, the ones that need not see what the file begins with. */
  byName(candidates: number): number {
    return candidates & this.#byName;
  }

  /** Of these, the ones that are asked about a file with this head. */
  scanning(candidates: number, head: Uint8Array): number {
    let bits = this.#byName;
    for (const { bits: more, magic } of this.#begins.get(head[0] ?? -1) ?? []) {
      if (magic.every((byte, at) => head[at] === byte)) {
        bits |= more;
      }
    }
    return candidates & bits;
  }

  /** Whether a file that begins with this byte may interest a scanner that goes by it. */
  mayBegin(byte: number): boolean {
    return this.#isStart[byte] === 1;
  }

  #addMagic(magic: Buffer, bits: number): void {
    const first = magic[0] ?? 0;
    this.#isStart[first] = 1;
    this.#begins.set(first, [...(this.#begins.get(first) ?? []), { magic, bits }]);
  }
}

const compiled = new WeakMap<readonly Cataloger[], Interests>();

/** Of a list of catalogers, compiled once: they are asked in every layer, and once more over all of them. */
export function interestsOf(catalogers: readonly Cataloger[]): Interests {
  const interests = compiled.get(catalogers) ?? new Interests(catalogers);
  compiled.set(catalogers, interests);
  return interests;
}

/** The place of a cataloger in the list, by its bit. */
export function placeOfBit(bit: number): number {
  return 31 - Math.clz32(bit);
}
