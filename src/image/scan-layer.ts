import { type Bytes, formatBytes } from '../base/bytes.ts';
import { type Cataloger, contentLimit, type Skipped, type StreamScanner } from '../catalogers/contract.ts';
import { isProgram } from '../catalogers/programs/parts.ts';
import { openScanner } from '../catalogers/run.ts';
import { cleanPath, toText } from './names.ts';
import { readTar, type TarEntry, type TarSink, type TarType } from './tar.ts';

export const scanLimits: Readonly<
  Record<'layerContent' | 'layerObservations' | 'holes' | 'head' | 'headKeptFrom', number>
> = {
  /** Content kept of one layer. A layer that installs a thousand packages has under 30 MiB of what catalogers want. */
  layerContent: 128 * 1024 * 1024,
  /** What scanners say of the files of one layer, as JSON. The package list of a whole distribution is 14 MiB. */
  layerObservations: 48 * 1024 * 1024,
  /** Zeros that the holes of sparse files may stand for in one layer: 16 GiB take some seconds to look through. */
  holes: 16 * 1024 ** 3,
  /** A scanner gets at least so many bytes to know a file by. */
  head: 64,
  /** Below this size only ELF files and scanned ones keep their head for a second look under another name. */
  headKeptFrom: 64 * 1024,
};

export const tooMuchSeen = 'what was seen in it is too much to keep';

/** What one layer says, in the order of its archive. Columns instead of an object for each of half a million entries. */
export interface LayerScan {
  readonly count: number;
  /** Clean, as latin1; `` is the root. */
  readonly paths: readonly string[];
  readonly types: readonly TarType[];
  readonly sizes: readonly number[];
  /** When each was changed last, in seconds since 1970. */
  readonly times: readonly number[];
  /** Target of a link, by entry. */
  readonly links: ReadonlyMap<number, string>;
  /** What was seen in a file, by entry; only for files in which something was. */
  readonly finds: ReadonlyMap<number, Finds>;
  /** Files that begin as programs do: ELF, PE, Mach-O. */
  readonly programs: ReadonlySet<number>;
  readonly skipped: readonly Skipped[];
}

/** What is known of the content of one file. Bits stand for catalogers in the order of their list. */
export interface Finds {
  /** Catalogers that want the content under the name it has in the layer. */
  wanted: number;
  /** Catalogers that scanned it, whatever they saw. */
  scanned: number;
  content?: Uint8Array;
  /** The first bytes, to be asked about again under another name. */
  head?: Uint8Array;
  readonly observations: Map<number, object>;
  /** How much the observations are as JSON. */
  observationBytes?: number;
}

/** Bits of a number: more catalogers need another form. */
const maxCatalogers = 30;

/** Which catalogers want the content of a path. */
export function wantedBy(catalogers: readonly Cataloger[], path: string): number {
  let bits = 0;
  for (let at = 0; at < catalogers.length; at += 1) if (catalogers[at]?.wants(path)) bits |= 1 << at;
  return bits;
}

/** The most that one of the catalogers in `wanted` keeps of a file, in bytes. */
export function contentLimitOf(catalogers: readonly Cataloger[], wanted: number): number {
  return catalogers.reduce(
    (most, cataloger, at) =>
      (wanted & (1 << at)) === 0 ? most : Math.max(most, cataloger.contentLimit ?? 0),
    contentLimit,
  );
}

/**
 * Reads a layer once: names of everything, content of what a cataloger wants, observations of scanners.
 *
 * @throws TcfError (exit 2) for a layer that cannot be read to its end or is not what it should be.
 */
export async function scanLayer(
  bytes: Bytes,
  catalogers: readonly Cataloger[],
  what: string,
): Promise<LayerScan> {
  if (catalogers.length > maxCatalogers) throw new RangeError('more catalogers than bits');
  const paths: string[] = [];
  const types: TarType[] = [];
  const sizes: number[] = [];
  const times: number[] = [];
  const links = new Map<number, string>();
  const reader = new FileReader(catalogers);
  const visit = (entry: TarEntry): TarSink | undefined => {
    const path = cleanPath(entry.name);
    paths.push(path);
    types.push(entry.type);
    sizes.push(entry.size);
    times.push(entry.modified);
    if (entry.type === 'symlink' || entry.type === 'hardlink') links.set(entry.index, entry.linkName);
    const isContent = entry.type === 'file' && entry.size > 0 && !isWhiteout(path);
    if (entry.type === 'file' && entry.size === 0 && !isWhiteout(path)) reader.empty(entry.index, path);
    return isContent ? reader.open(entry, path) : undefined;
  };
  await readTar(bytes, visit, what);
  const { finds, programs, skipped } = reader;
  return { count: paths.length, paths, types, sizes, times, links, finds, programs, skipped };
}

export function isWhiteout(path: string): boolean {
  return path.startsWith('.wh.', path.lastIndexOf('/') + 1);
}

/** One for each layer, used again for each file. */
class FileReader implements TarSink {
  readonly finds: Map<number, Finds> = new Map();
  readonly programs: Set<number> = new Set();
  readonly skipped: Skipped[] = [];
  readonly #catalogers: readonly Cataloger[];
  #contentLeft: number = scanLimits.layerContent;
  #holesLeft: number = scanLimits.holes;
  #observationsLeft: number = scanLimits.layerObservations;
  #index = 0;
  #path = '';
  #size = 0;
  #wanted = 0;
  #content: Uint8Array | undefined;
  #filled = 0;
  readonly #head = new Uint8Array(scanLimits.head);
  #headSize = 0;
  #isDecided = false;
  #scanners: { readonly cataloger: number; readonly scanner: StreamScanner }[] = [];

  constructor(catalogers: readonly Cataloger[]) {
    this.#catalogers = catalogers;
  }

  empty(index: number, name: string): void {
    const wanted = wantedBy(this.#catalogers, toText(name));
    if (wanted !== 0)
      this.finds.set(index, { wanted, scanned: 0, content: new Uint8Array(0), observations: new Map() });
  }

  open(entry: TarEntry, name: string): TarSink | undefined {
    this.#index = entry.index;
    this.#path = toText(name);
    this.#size = entry.size;
    const holes = Math.max(0, entry.size - entry.stored);
    // A hole costs nothing in the archive: without this limit a few hundred bytes keep us busy for years.
    if (holes > this.#holesLeft) {
      this.#skip(`a sparse file of ${formatBytes(entry.size)}: too many holes to look through`);
      return undefined;
    }
    this.#holesLeft -= holes;
    this.#wanted = wantedBy(this.#catalogers, this.#path);
    this.#content = this.#wanted === 0 ? undefined : this.#reserve();
    this.#filled = 0;
    this.#headSize = 0;
    this.#isDecided = false;
    this.#scanners = [];
    return this;
  }

  push(chunk: Uint8Array): void {
    if (this.#content !== undefined) {
      this.#content.set(chunk, this.#filled);
      this.#filled += chunk.length;
    }
    if (this.#isDecided) {
      for (const { scanner } of this.#scanners) scanner.push(chunk);
      return;
    }
    // Nearly always the first chunk holds the whole head, and nothing is copied.
    if (this.#headSize === 0 && chunk.length >= Math.min(scanLimits.head, this.#size)) {
      this.#decide(chunk.subarray(0, scanLimits.head));
      for (const { scanner } of this.#scanners) scanner.push(chunk);
      return;
    }
    const part = chunk.subarray(0, scanLimits.head - this.#headSize);
    this.#head.set(part, this.#headSize);
    this.#headSize += part.length;
    if (this.#headSize < Math.min(scanLimits.head, this.#size)) return;
    const head = this.#head.slice(0, this.#headSize);
    this.#decide(head);
    for (const { scanner } of this.#scanners) {
      scanner.push(head);
      if (part.length < chunk.length) scanner.push(chunk.subarray(part.length));
    }
  }

  end(): void {
    for (const { cataloger, scanner } of this.#scanners) {
      const observation = scanner.end();
      if (observation !== undefined) this.#keep(cataloger, observation);
    }
    if (this.#wanted === 0) return;
    const found = this.#found();
    found.wanted = this.#wanted;
    if (this.#content !== undefined) found.content = this.#content;
  }

  #decide(head: Uint8Array): void {
    this.#isDecided = true;
    const isNative = isProgram(head);
    if (isNative) this.programs.add(this.#index);
    for (let at = 0; at < this.#catalogers.length; at += 1) {
      const cataloger = this.#catalogers[at];
      const scanner = cataloger && openScanner(cataloger, this.#path, head, this.skipped);
      if (scanner === undefined) continue;
      this.#scanners.push({ cataloger: at, scanner });
      this.#found().scanned |= 1 << at;
    }
    // A scanned file is asked about again under the names that hard links give it.
    if (isNative || this.#scanners.length > 0 || this.#size >= scanLimits.headKeptFrom)
      this.#found().head = Uint8Array.from(head);
  }

  #reserve(): Uint8Array | undefined {
    // The file may yet be hidden by a layer above: what stays visible without content is reported after the merge.
    const most = contentLimitOf(this.#catalogers, this.#wanted);
    if (this.#size > most || this.#size > this.#contentLeft) return undefined;
    this.#contentLeft -= this.#size;
    return new Uint8Array(this.#size);
  }

  #keep(cataloger: number, observation: object): void {
    const size = JSON.stringify(observation).length;
    if (size > this.#observationsLeft) {
      this.#skip(tooMuchSeen);
      return;
    }
    this.#observationsLeft -= size;
    const found = this.#found();
    found.observations.set(cataloger, observation);
    found.observationBytes = (found.observationBytes ?? 0) + size;
  }

  #found(): Finds {
    const found = this.finds.get(this.#index) ?? { wanted: 0, scanned: 0, observations: new Map() };
    this.finds.set(this.#index, found);
    return found;
  }

  #skip(reason: string): void {
    this.skipped.push({ path: this.#path, reason });
  }
}
