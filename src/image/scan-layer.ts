import type { Cataloger, Skipped } from '../catalogers/contract.ts';
import { NumberColumn, type TextColumn, TextColumnBuilder } from './columns.ts';
import { FileReader } from './file-reader.ts';
import type { Finds } from './finds.ts';
import { cleanPath } from './names.ts';
import type { TarEntry, TarSink, TarType, TarVisitor } from './tar.ts';
import type { SkipTold } from './walked-layer.ts';

/** Bits of a number: more catalogers need another form. */
const maxCatalogers = 30;

/**
 * What one layer says, in the order of its archive. Columns instead of an object for each of half a million
 * entries.
 */
export interface LayerScan {
  readonly count: number;
  /** Bytes of the layer without its compression. */
  readonly bytes: number;
  /** Clean, as latin1; `` is the root. */
  readonly paths: TextColumn;
  /** Places in `tarTypes`. */
  readonly types: Float64Array<ArrayBuffer>;
  readonly sizes: Float64Array<ArrayBuffer>;
  /** When each was changed last, in seconds since 1970. */
  readonly times: Float64Array<ArrayBuffer>;
  /** Target of a link, by entry. */
  readonly links: ReadonlyMap<number, string>;
  /** What was seen in a file, by entry; only for files in which something was. */
  readonly finds: ReadonlyMap<number, Finds>;
  /** Files that begin as programs do: ELF, PE, Mach-O. */
  readonly programs: ReadonlySet<number>;
  readonly skipped: readonly Skipped[];
}

/** In the order of their numbers in a column. */
export const tarTypes: readonly TarType[] = ['file', 'directory', 'symlink', 'hardlink', 'other'];

/** What a reader of a layer passes on to. */
export interface LayerVisitor {
  readonly visit: TarVisitor;
  readonly skip?: SkipTold;
  /** Whether `visit` will want the content of a file; for layers that are read in parts. */
  readonly wants?: (entry: TarEntry) => boolean;
}

/**
 * Takes the entries of one layer: names of everything, content of what a cataloger wants, observations of
 * scanners.
 */
export class LayerScanner implements LayerVisitor {
  readonly #paths = new TextColumnBuilder();
  readonly #types = new NumberColumn();
  readonly #sizes = new NumberColumn();
  readonly #times = new NumberColumn();
  readonly #links: Map<number, string> = new Map();
  readonly #reader: FileReader;

  /** @param isPartial Only contents that catalogers want by the name of a file are read. */
  constructor(catalogers: readonly Cataloger[], isPartial = false) {
    if (catalogers.length > maxCatalogers) {
      throw new RangeError('more catalogers than bits');
    }
    this.#reader = new FileReader(catalogers, isPartial);
  }

  /** Of a layer that is read in parts: whether `visit` will want the content. */
  readonly wants = ({ name, size, type }: TarEntry): boolean => {
    const path = cleanPath(name);
    return type === 'file' && size > 0 && !isWhiteout(path) && this.#reader.needs(path);
  };

  readonly visit = (entry: TarEntry): TarSink | undefined => {
    const path = cleanPath(entry.name);
    this.#paths.push(path);
    this.#types.push(tarTypes.indexOf(entry.type));
    this.#sizes.push(entry.size);
    this.#times.push(entry.modified);
    if (entry.type === 'symlink' || entry.type === 'hardlink') {
      this.#links.set(entry.index, entry.linkName);
    }
    if (entry.type !== 'file' || isWhiteout(path)) {
      return undefined;
    }
    if (entry.size > 0) {
      return this.#reader.open(entry, path);
    }
    this.#reader.empty(entry.index, path);
    return undefined;
  };

  readonly skip: SkipTold = (path, reason) => {
    this.#reader.skipped.push({ path, reason });
  };

  /** @param bytes of the layer without its compression. */
  finish(bytes: number): LayerScan {
    const { finds, programs, skipped } = this.#reader;
    return {
      count: this.#types.count,
      bytes,
      paths: this.#paths.finish(),
      types: this.#types.finish(),
      sizes: this.#sizes.finish(),
      times: this.#times.finish(),
      links: this.#links,
      finds,
      programs,
      skipped,
    };
  }

  /** Buffers of the result that can be handed to another thread. */
  get blocks(): readonly ArrayBuffer[] {
    return this.#reader.blocks;
  }
}

function isWhiteout(path: string): boolean {
  return path.startsWith('.wh.', path.lastIndexOf('/') + 1);
}
