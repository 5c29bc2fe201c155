import { closeSync, openSync, readSync } from 'node:fs';
import type { Bytes } from '../base/bytes.ts';
import { cannotTell, reasonOf, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { codeOf } from '../system/errors.ts';
import { Inflate } from './inflate.ts';
import { LayerFolder, type OpenFile, readPiece } from './layer-folder.ts';
import { latin1ToText } from './names.ts';
import { TarReader, type TarVisitor } from './tar.ts';
import { readWalked, type SkipTold, type WalkedLayer } from './walked-layer.ts';

/** One entry: the bytes between two files. A long one holds the zeros at the end of an archive. */
const maxLine = 8 * 1024 * 1024;
const chunkSize = 256 * 1024;
/** The first piece of a file: what tells whether the rest is wanted. */
const firstPiece = 4096;

/**
 * What containers/storage keeps of a layer that it unpacked: its archive without contents, and the folder
 * with these.
 */
export interface SplitLayer {
  /** `<driver>-layers/<id>.tar-split.gz` (vbatts/tar-split, tar/storage/entry.go). */
  readonly file: string;
  readonly directory: string;
  /** Where the store kept no archive: how the layer is read from its folder. */
  readonly walked?: WalkedLayer;
  /** For messages. */
  readonly what: string;
  /** Whether the whole layer is to be read and checked against its diffID. */
  readonly isVerified: boolean;
}

/** The archive, piece by piece: its own bytes, or a file whose content lies in the folder. */
type Part = { readonly bytes: Uint8Array } | { readonly name: string; readonly size: number };

/**
 * Puts the tar stream of a layer together again. Whether it is the stream that was unpacked then shows
 * against the diffID, so a store that changes meanwhile gives an error and never a wrong answer.
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
      if ('bytes' in part) {
        yield* joined.add(part.bytes);
      } else {
        // A list: `yield` cannot leave the function that closes the file.
        for (let at = 0; at < part.size; at += chunkSize) {
          yield* joined.add(pieceOf(folder, part, at, layer.what));
        }
      }
    }
  } catch (error) {
    throw told(error, layer.what);
  }
  yield* joined.rest();
}

/**
 * Reads the entries of a layer where it lies: names, sizes and links from what is left of its archive,
 * contents only where `visit` wants them and only as far. Digests say nothing about what is read so.
 *
 * @returns bytes of the archive.
 * @throws TcfError `storage.layer` (exit 2) where a wanted file is missing or has another size.
 */
export function readInPlace(
  layer: SplitLayer,
  visit: TarVisitor,
  name: string,
  skip: SkipTold = () => {},
): number {
  const folder = new LayerFolder(layer.directory);
  if (layer.walked !== undefined) {
    return walkedSize({ ...layer.walked, ...layer }, folder, visit, skip);
  }
  const tar = new TarReader(visit, name);
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
  let size = 0;
  try {
    for (const part of partsOf(layer)) {
      size += 'bytes' in part ? part.bytes.length : part.size;
      if ('bytes' in part) {
        tar.push(part.bytes);
      } else if (tar.ahead >= part.size) {
        tar.leaveOut(part.size, true);
      } else {
        withFile(folder, part, layer.what, (file) => passWanted(file, part.size, buffer, tar, layer.what));
      }
    }
    tar.end();
  } catch (error) {
    throw told(error, layer.what);
  }
  return size;
}

function walkedSize(
  layer: SplitLayer & WalkedLayer,
  folder: LayerFolder,
  visit: TarVisitor,
  skip: SkipTold,
): number {
  try {
    return readWalked(layer, folder, visit, skip);
  } catch (error) {
    throw told(error, layer.what);
  }
}

function passWanted(file: OpenFile, size: number, buffer: Uint8Array, tar: TarReader, what: string): void {
  for (let at = 0; at < size; ) {
    const left = size - at;
    if (tar.ahead >= left) {
      tar.leaveOut(left, true);
      return;
    }
    const piece = readPiece(file, buffer, at, Math.min(left, at === 0 ? firstPiece : buffer.length));
    if (piece.length === 0) {
      throw cannotTell('storage.layer', `${what} changed while it was read`);
    }
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
      if (piece.length === 0) {
        throw cannotTell('storage.layer', `${what} changed while it was read`);
      }
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
    if (file.size === size) {
      return { result: use(file) };
    }
    throw cannotTell('storage.layer', `${what} has another ${quoted(latin1ToText(name))} than was unpacked`);
  });
  if (read !== undefined) {
    return read.result;
  }
  throw cannotTell('storage.layer', `${what} has lost ${quoted(latin1ToText(name))}`);
}

function told(error: unknown, what: string): Error {
  if (error instanceof TcfError) {
    return error;
  }
  const isForbidden = codeOf(error) === 'EACCES';
  return cannotTell('storage.layer', `cannot read ${what}: ${reasonOf(error)}`, {
    cause: error,
    // Files of other users of a rootless image belong to ids of their own.
    ...(isForbidden ? { hint: 'run the same behind "podman unshare"' } : {}),
  });
}

function* partsOf({ file, what }: SplitLayer): Iterable<Part> {
  // Used again for each piece: whoever takes it copies what is kept.
  const buffer = Buffer.allocUnsafeSlow(maxLine);
  for (const line of linesOf(file, what)) {
    const payload = payloadOf(line);
    if (payload !== undefined) {
      yield { bytes: decodeInto(buffer, payload, what) };
      continue;
    }
    const { payload: empty, size = 0, type, ...entry } = parseLine(line, what);
    if (type === 2 && typeof empty === 'string') {
      yield { bytes: decodeInto(buffer, empty, what) };
    } else if (type === 2 && (empty === null || empty === undefined)) {
    } else if (type !== 1 || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw cannotTell(
        'storage.layer',
        `${what} has an entry of an unknown form: ${quoted(String(line).slice(0, 200))}`,
      );
    } else if (size > 0) {
      yield { name: nameOf(entry, what), size };
    }
  }
}

const payloadStart = Buffer.from('{"type":2,"payload":"');

/**
 * The base64 of an entry as tar-split writes it, without reading it as JSON: half of all entries are of this
 * kind, and the long half.
 */
function payloadOf(line: Buffer): string | undefined {
  if (line.compare(payloadStart, 0, payloadStart.length, 0, payloadStart.length) !== 0) {
    return undefined;
  }
  const end = line.indexOf(0x22, payloadStart.length);
  return end < 0 ? undefined : line.toString('latin1', payloadStart.length, end);
}

/**
 * Written by the store itself, and checked by the archive that comes out: the strict reader would take longer
 * than all the rest. JSON of tar-split: `{"type":2,"payload":"<base64>","position":0}` or
 * `{"type":1,"name":"etc/a","size":3,"payload":"<crc>","position":1}`.
 */
function parseLine(line: Buffer, what: string): Readonly<Record<string, unknown>> {
  try {
    const entry: unknown = JSON.parse(line.toString());
    if (typeof entry === 'object' && entry !== null) {
      return entry as Readonly<Record<string, unknown>>;
    }
  } catch {
    // Told below.
  }
  throw cannotTell('storage.layer', `${what} has an entry that is not JSON`);
}

/** A base64 that is damaged makes an archive that is. */
function decodeInto(buffer: Buffer, text: string, what: string): Uint8Array {
  const length = buffer.write(text, 'base64');
  if (length === Buffer.byteLength(text, 'base64')) {
    return buffer.subarray(0, length);
  }
  throw cannotTell('storage.layer', `${what} has an entry that is not base64`);
}

/** As latin1. Names are bytes: what is not UTF-8 stands in `name_raw`. */
function nameOf({ name, name_raw: raw }: Readonly<Record<string, unknown>>, what: string): string {
  if (typeof raw === 'string') {
    return Buffer.from(raw, 'base64').toString('latin1');
  }
  if (typeof name !== 'string') {
    throw cannotTell('storage.layer', `${what} has a file without a name`);
  }
  return isAscii(name) ? name : Buffer.from(name).toString('latin1');
}

/** Gathers small pieces into big chunks: a layer has half a million pieces of a few hundred bytes. */
class Joined {
  #buffer: Buffer = Buffer.allocUnsafe(chunkSize);
  #filled = 0;

  *add(piece: Uint8Array): Iterable<Uint8Array> {
    if (piece.length > chunkSize - this.#filled) {
      yield* this.rest();
    }
    if (piece.length >= chunkSize) {
      yield piece;
      return;
    }
    this.#buffer.set(piece, this.#filled);
    this.#filled += piece.length;
  }

  *rest(): Iterable<Uint8Array> {
    if (this.#filled > 0) {
      yield this.#buffer.subarray(0, this.#filled);
    }
    this.#buffer = Buffer.allocUnsafe(chunkSize);
    this.#filled = 0;
  }
}

/** Lines in UTF-8, without the line feed; each is gone when the next one is asked for. */
function* linesOf(path: string, what: string): Iterable<Buffer> {
  let buffer: Buffer = Buffer.allocUnsafeSlow(2 * chunkSize);
  let filled = 0;
  const keep = (piece: Uint8Array) => {
    if (filled + piece.length > buffer.length) {
      if (filled > maxLine) {
        throw cannotTell('storage.layer', `${what} has an entry that is too long`);
      }
      buffer = Buffer.concat(
        [buffer.subarray(0, filled)],
        Math.max(2 * buffer.length, filled + piece.length),
      );
    }
    buffer.set(piece, filled);
    filled += piece.length;
  };
  for (const inflate of inflated(path, what, keep)) {
    let start = 0;
    for (
      let end = buffer.indexOf(lineFeed, start);
      end >= 0 && end < filled;
      end = buffer.indexOf(lineFeed, start)
    ) {
      if (end > start) {
        yield buffer.subarray(start, end);
      }
      start = end + 1;
    }
    buffer.copyWithin(0, start, filled);
    filled -= start;
    if (inflate && filled > 0) {
      throw cannotTell('storage.layer', `${what} is cut off`);
    }
  }
}

const lineFeed = 0x0a;

/** Unpacks a file of gzip into `keep`; stops after each piece of it, with `true` at the end. */
function* inflated(path: string, what: string, keep: (piece: Uint8Array) => void): Iterable<boolean> {
  const inflate = Inflate.open('gzip', what);
  if (inflate === undefined) {
    throw cannotTell('storage.layer', `this Node cannot read ${what}`);
  }
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(32 * 1024);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      inflate.push(buffer.subarray(0, read), keep);
      yield false;
    }
    inflate.end(keep);
    yield true;
  } finally {
    closeSync(file);
  }
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
