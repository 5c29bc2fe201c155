import { cannotTell, type TcfError } from '../../base/error.ts';
import { type JsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { type Digest, readDigest } from '../../oci/digest.ts';
import { decompressLimits } from '../decompress.ts';
import { type TarEntry, type TarType, tarLimits } from '../tar.ts';

/** One piece of a file, compressed by itself. */
export interface TocChunk {
  /** Where its compressed bytes lie in the blob. */
  readonly start: number;
  readonly end: number;
  /** Plain bytes before those of the chunk, where several share one compressed stream. */
  readonly inner: number;
  /** Plain bytes. */
  readonly size: number;
  readonly digest: Digest;
  /** Nothing but zeros, which nobody has to fetch. */
  readonly isZeros: boolean;
}

/** An entry of the archive, and the pieces of its content from the first byte to the last. */
export interface TocEntry {
  readonly entry: TarEntry;
  readonly chunks: readonly TocChunk[];
}

/** An image of half a million files has a table of 150 MiB. */
export const tocLimits: JsonLimits = { maxBytes: 256 * 1024 * 1024, maxDepth: 8 };
/** Plain bytes of one piece. The tools cut at 4 MiB, and zstd:chunked at some 64 KiB. */
const maxChunk = 512 * 1024 * 1024;

/** Other kinds are unknown, and what is unknown could hide something. */
const types: Readonly<Record<string, TarType>> = {
  dir: 'directory',
  reg: 'file',
  symlink: 'symlink',
  hardlink: 'hardlink',
  char: 'other',
  block: 'other',
  fifo: 'other',
};

interface OpenEntry {
  readonly entry: TarEntry;
  readonly shape: Shape;
  /** Where the last chunk ends, if the table says so. */
  readonly end: number | undefined;
  readonly pieces: Omit<TocChunk, 'end'>[];
}

/**
 * Reads the table of contents of zstd:chunked and eStargz, which have the same members (stargz-snapshotter,
 * docs/estargz.md; containers/storage, pkg/chunked/internal). Refused is what a reader of the archive would
 * understand otherwise or not at all: an entry of an unknown kind, a name that leads out, pieces that overlap,
 * leave something out, or lie outside of the blob.
 *
 * @param room Bytes of the blob that may hold contents: those before the table.
 * @throws TcfError `layer.toc`, `json.*`, `document.malformed` (exit 2).
 */
export function parseToc(bytes: Uint8Array, room: number, what: string): readonly TocEntry[] {
  const name = `the table of contents of ${what}`;
  const toc = new Shape(parseJson(bytes, name, tocLimits), name);
  if (toc.get('version').whole() !== 1) {
    throw wrong(what, 'has another version than 1');
  }
  const open = collectEntries(toc.get('entries').list(2 * tarLimits.entries), what);
  const starts = startsOf(open, room, what);
  return open.map((one) => close(one, starts, room, what));
}

function wrong(what: string, why: string): TcfError {
  return cannotTell('layer.toc', `the table of contents of ${what} ${why}`, {
    hint: 'leave out --partial to read the whole layer',
  });
}

function collectEntries(shapes: readonly Shape[], what: string): readonly OpenEntry[] {
  const open: OpenEntry[] = [];
  let total = 0;
  for (const shape of shapes) {
    const type = shape.get('type').string(20);
    const last = open.at(-1);
    if (type === 'chunk') {
      if (
        last === undefined ||
        last.entry.type !== 'file' ||
        readName(shape, 'name', what) !== last.entry.name
      ) {
        throw wrong(
          what,
          `has a piece of ${quoted(shape.get('name').string())} that belongs to no file before it`,
        );
      }
      last.pieces.push(readPiece(shape, last, what));
      continue;
    }
    const kind = Object.hasOwn(types, type) ? types[type] : undefined;
    if (kind === undefined) {
      throw wrong(what, `has an entry of the unknown type ${quoted(type)}`);
    }
    const one = readEntry(shape, kind, open.length, what);
    total += one.entry.size;
    if (total > decompressLimits.layer || open.length >= tarLimits.entries) {
      throw wrong(what, `has more than is read of a layer: ${open.length} entries of ${total} bytes`);
    }
    open.push(one);
  }
  return open;
}

function readEntry(shape: Shape, type: TarType, index: number, what: string): OpenEntry {
  const isFile = type === 'file';
  const size = isFile ? (shape.optional('size')?.whole() ?? 0) : 0;
  const entry: TarEntry = {
    index,
    type,
    size,
    name: readName(shape, 'name', what),
    modified: Math.floor(Date.parse(shape.optional('modtime')?.string(60) ?? '') / 1000) || 0,
    stored: size,
    linkName: readTarget(shape, type, what),
    offset: 0,
  };
  const one: OpenEntry = { entry, shape, end: shape.optional('endOffset')?.whole(), pieces: [] };
  if (size > 0) {
    one.pieces.push(readPiece(shape, one, what));
  }
  return one;
}

/** The target of a symbolic link may lead anywhere, as in an archive; that of a hard link is another entry. */
function readTarget(shape: Shape, type: TarType, what: string): string {
  if (type === 'symlink') {
    return latin1Of(shape.get('linkName').string(tarLimits.name));
  }
  return type === 'hardlink' ? readName(shape, 'linkName', what) : '';
}

/** As in an archive, bytes as latin1. `..` is refused: readers differ in what it means. */
function readName(shape: Shape, key: string, what: string): string {
  const text = shape.get(key).string(tarLimits.name);
  if (text === '' || text.includes('\0') || text.split('/').includes('..')) {
    throw wrong(what, `has the name ${quoted(text)}`);
  }
  return latin1Of(text);
}

function latin1Of(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function readPiece(
  shape: Shape,
  { entry, pieces }: Pick<OpenEntry, 'entry' | 'pieces'>,
  what: string,
): Omit<TocChunk, 'end'> {
  const done = pieces.reduce((sum, { size }) => sum + size, 0);
  const at = shape.optional('chunkOffset')?.whole() ?? 0;
  const size = (shape.optional('chunkSize')?.whole() ?? 0) || entry.size - at;
  const inner = shape.optional('innerOffset')?.whole() ?? 0;
  // What lies elsewhere than it is said to would be shown to one reader and not to another.
  if (at !== done || size <= 0 || at + size > entry.size) {
    throw wrong(what, `has pieces of ${quoted(entry.name)} that overlap or leave something out`);
  }
  if (size + inner > maxChunk) {
    throw wrong(what, `has a piece of ${quoted(entry.name)} with ${size + inner} bytes`);
  }
  // A file in one piece is named by its own digest.
  const isWhole = size === entry.size;
  const digest = shape.optional('chunkDigest') ?? (isWhole ? shape.optional('digest') : undefined);
  if (digest === undefined) {
    throw wrong(what, `has a piece of ${quoted(entry.name)} without a digest`);
  }
  return {
    start: shape.optional('offset')?.whole() ?? 0,
    inner,
    size,
    digest: readDigest(digest),
    isZeros: shape.optional('chunkType')?.string(20) === 'zeros',
  };
}

/** Where compressed streams begin, each once, in their order; the last is where the table begins. */
function startsOf(open: readonly OpenEntry[], room: number, what: string): readonly number[] {
  const all = open.flatMap(({ pieces }) => pieces).sort((a, b) => a.start - b.start || a.inner - b.inner);
  for (const [at, { inner, start, size }] of all.entries()) {
    const next = all[at + 1];
    if (start >= room || (next?.start === start && next.inner < inner + size)) {
      throw wrong(what, 'has pieces that overlap or lie outside of the layer');
    }
  }
  return [...new Set(all.map(({ start }) => start)), room];
}

function close(
  { end, entry, pieces }: OpenEntry,
  starts: readonly number[],
  room: number,
  what: string,
): TocEntry {
  const size = pieces.reduce((sum, piece) => sum + piece.size, 0);
  if (size !== entry.size) {
    throw wrong(what, `has pieces of ${quoted(entry.name)} that overlap or leave something out`);
  }
  const chunks = pieces.map((piece, at): TocChunk => {
    const next = after(starts, piece.start);
    const last = at === pieces.length - 1 ? end : undefined;
    if (last !== undefined && (last <= piece.start || last > next)) {
      throw wrong(what, 'has pieces that overlap or lie outside of the layer');
    }
    return { ...piece, end: Math.min(last ?? next, room) };
  });
  return { entry, chunks };
}

/** The first start behind `start`, in an ordered list. */
function after(starts: readonly number[], start: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) > start) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return starts[low] ?? 0;
}
