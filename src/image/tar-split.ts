import { closeSync, openSync, readSync } from 'node:fs';
import type { Bytes } from '../base/bytes.ts';
import { cannotTell, reasonOf, TcfError } from '../base/error.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { LayerFolder, type OpenFile, readPiece } from './layer-folder.ts';
import { toText } from './names.ts';
import { SyncInflate } from './sync-inflate.ts';
import { TarReader, type TarVisitor } from './tar.ts';

/** One entry: the bytes between two files. A long one holds the zeros at the end of an archive. */
const maxLine = 8 * 1024 * 1024;
const chunkSize = 256 * 1024;
/** The first piece of a file: what tells whether the rest is wanted. */
const firstPiece = 4096;

/** What containers/storage keeps of a layer that it unpacked: its archive without contents, and the folder with these. */
export interface SplitLayer {
  /** `<driver>-layers/<id>.tar-split.gz` (vbatts/tar-split, tar/storage/entry.go). */
  readonly file: string;
  readonly directory: string;
  /** For messages. */
  readonly what: string;
  /** Whether the whole layer is to be read and checked against its diffID. */
  readonly isVerified: boolean;
}

/** The archive, piece by piece: its own bytes, or a file whose content lies in the folder. */
type Part = { readonly bytes: Uint8Array } | { readonly name: string; readonly size: number };

/**
 * Puts the tar stream of a layer together again. Whether it is the stream that was unpacked then shows against the diffID, so a store that
 * changes meanwhile gives an error and never a wrong answer.
 *
 * @throws TcfError `storage.layer` (exit 2) where a file is missing or has another size.
 */
export async function* assembled(layer: SplitLayer): Bytes {
  yield* assembledPieces(layer);
}

/** As `assembled`, without giving up the thread. */
export function* assembledPieces(layer: SplitLayer): Iterable<Uint8Array> {
  const joined = new Joined();
  const folder = new LayerFolder(layer.directory);
  try {
    for (const part of partsOf(layer)) {
      if ('bytes' in part) yield* joined.add(part.bytes);
      else {
        // A list: `yield` cannot leave the function that closes the file.
        for (let at = 0; at < part.size; at += chunkSize)
          yield* joined.add(pieceOf(folder, part, at, layer.what));
      }
    }
  } catch (error) {
    throw told(error, layer.what);
  }
  yield* joined.rest();
}

/**
 * Reads the entries of a layer where it lies: names, sizes and links from what is left of its archive, contents only where `visit` wants them and
 * only as far. Digests say nothing about what is read so.
 *
 * @returns bytes of the archive.
 * @throws TcfError `storage.layer` (exit 2) where a wanted file is missing or has another size.
 */
export function readInPlace(layer: SplitLayer, visit: TarVisitor, name: string): number {
  const tar = new TarReader(visit, name);
  const folder = new LayerFolder(layer.directory);
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  let size = 0;
  try {
    for (const part of partsOf(layer)) {
      size += 'bytes' in part ? part.bytes.length : part.size;
      if ('bytes' in part) tar.push(part.bytes);
      else if (tar.ahead >= part.size) tar.leaveOut(part.size, true);
      else withFile(folder, part, layer.what, (file) => passWanted(file, part.size, buffer, tar, layer.what));
    }
    tar.end();
  } catch (error) {
    throw told(error, layer.what);
  }
  return size;
}

function passWanted(file: OpenFile, size: number, buffer: Uint8Array, tar: TarReader, what: string): void {
  for (let at = 0; at < size; ) {
    const left = size - at;
    if (tar.ahead >= left) {
      tar.leaveOut(left, true);
      return;
    }
    const piece = readPiece(file, buffer, at, Math.min(left, at === 0 ? firstPiece : buffer.length));
    if (piece.length === 0) throw cannotTell('storage.layer', `${what} changed while it was read`);
    tar.push(piece);
    at += piece.length;
  }
}

function pieceOf(
  folder: LayerFolder,
  part: Extract<Part, { name: string }>,
  at: number,
  what: string,
): Uint8Array {
  return withFile(folder, part, what, (file) => {
    const wanted = Math.min(chunkSize, part.size - at);
    const buffer = Buffer.allocUnsafe(wanted);
    for (let filled = 0; filled < wanted; ) {
      const piece = readPiece(file, buffer.subarray(filled), at + filled, wanted);
      if (piece.length === 0) throw cannotTell('storage.layer', `${what} changed while it was read`);
      filled += piece.length;
    }
    return buffer;
  });
}

function withFile<T>(
  folder: LayerFolder,
  { name, size }: Extract<Part, { name: string }>,
  what: string,
  use: (file: OpenFile) => T,
): T {
  const read = folder.read(name, (file) => {
    if (file.size === size) return { result: use(file) };
    throw cannotTell('storage.layer', `${what} has another ${quoted(toText(name))} than was unpacked`);
  });
  if (read !== undefined) return read.result;
  throw cannotTell('storage.layer', `${what} has lost ${quoted(toText(name))}`);
}

function told(error: unknown, what: string): Error {
  if (error instanceof TcfError) return error;
  const isForbidden = error instanceof Error && 'code' in error && error.code === 'EACCES';
  return cannotTell('storage.layer', `cannot read ${what}: ${reasonOf(error)}`, {
    cause: error,
    // Files of other users of a rootless image belong to ids of their own.
    ...(isForbidden ? { hint: 'run the same behind "podman unshare"' } : {}),
  });
}

function* partsOf({ file, what }: SplitLayer): Iterable<Part> {
  for (const line of linesOf(file, what)) {
    const entry = new Shape(parseLine(line, what), 'entry');
    const type = entry.get('type').whole();
    if (type === 2) yield { bytes: base64Of(entry.get('payload'), maxLine, what) };
    else if (type !== 1)
      throw cannotTell('storage.layer', `${what} has an entry of the unknown type ${type}`);
    else {
      const size = entry.optional('size')?.whole() ?? 0;
      if (size > 0) yield { name: nameOf(entry, what), size };
    }
  }
}

/** Written by the store itself, and checked by the shapes and by the archive that comes out: the strict reader would take a third of the time. */
function parseLine(line: string, what: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw cannotTell('storage.layer', `${what} has an entry that is not JSON`, { cause: error });
  }
}

function base64Of(shape: Shape, limit: number, what: string): Uint8Array {
  if (shape.value === null || shape.missing) return new Uint8Array(0);
  const text = shape.string(limit);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === Buffer.byteLength(text, 'base64')) return bytes;
  throw cannotTell('storage.layer', `${what} has an entry that is not base64`);
}

/** Names are bytes: what is not UTF-8 stands in `name_raw`. */
function nameOf(entry: Shape, what: string): string {
  const raw = entry.optional('name_raw');
  const bytes = raw === undefined ? Buffer.from(entry.get('name').string(8192)) : base64Of(raw, 16_384, what);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** Gathers small pieces into big chunks: a layer has half a million pieces of a few hundred bytes. */
class Joined {
  #buffer: Buffer = Buffer.allocUnsafe(chunkSize);
  #filled = 0;

  *add(piece: Uint8Array): Iterable<Uint8Array> {
    if (piece.length > chunkSize - this.#filled) yield* this.rest();
    if (piece.length >= chunkSize) {
      yield piece;
      return;
    }
    this.#buffer.set(piece, this.#filled);
    this.#filled += piece.length;
  }

  *rest(): Iterable<Uint8Array> {
    if (this.#filled > 0) yield this.#buffer.subarray(0, this.#filled);
    this.#buffer = Buffer.allocUnsafe(chunkSize);
    this.#filled = 0;
  }
}

function* linesOf(path: string, what: string): Iterable<string> {
  let rest = '';
  for (const text of textOf(path, what)) {
    // JSON lines with base64 in them: a name in UTF-8 may be cut between two chunks, so bytes are joined before they are decoded.
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLine) throw cannotTell('storage.layer', `${what} has an entry that is too long`);
    for (const line of lines)
      if (line !== '') yield isAscii(line) ? line : Buffer.from(line, 'latin1').toString('utf8');
  }
  if (rest !== '') throw cannotTell('storage.layer', `${what} is cut off`);
}

/** The unpacked bytes as latin1. */
function* textOf(path: string, what: string): Iterable<string> {
  const pieces: string[] = [];
  const keep = (piece: Uint8Array) => {
    pieces.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('latin1'));
  };
  const inflate = SyncInflate.open('gzip', what);
  if (inflate === undefined) throw cannotTell('storage.layer', `this Node cannot read ${what}`);
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(64 * 1024);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      inflate.push(buffer.subarray(0, read), keep);
      yield pieces.splice(0).join('');
    }
    inflate.end(keep);
    yield pieces.splice(0).join('');
  } finally {
    closeSync(file);
  }
}

function isAscii(text: string): boolean {
  return !/[\x80-\xff]/.test(text);
}
