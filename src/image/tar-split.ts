import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Bytes, decodeBase64 } from '../base/bytes.ts';
import { cannotTell, reasonOf, TcfError } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { codeOf, isMissing } from '../system/errors.ts';
import { cleanPath, joinPath, toText } from './names.ts';

const chunkSize = 256 * 1024;
/** One entry: the bytes between two files. A long one holds the zeros at the end of an archive. */
const maxLine = 8 * 1024 * 1024;
/** What Linux follows. */
const maxLinks = 40;

/**
 * Puts the tar stream of a layer together again from what containers/storage kept of it: the headers in tar-split's JSON lines
 * (vbatts/tar-split, tar/storage/entry.go), the contents in the layer's directory. Whether it is the stream that was unpacked then shows against the
 * diffID, so a store that changes meanwhile gives an error and never a wrong answer.
 *
 * @throws TcfError `storage.layer` (exit 2) where a file is missing or has another size.
 */
export async function* assembled(split: Bytes, directory: string, what: string): Bytes {
  const out = new Joined();
  const finder = new FileFinder(directory);
  try {
    for await (const line of linesOf(split, what)) {
      const entry = new Shape(parseJson(line, `an entry of ${what}`), 'entry');
      const type = entry.get('type').whole();
      if (type === 2) yield* out.add(payloadOf(entry, what));
      else if (type === 1) yield* contentOf(entry, finder, out, what);
      else throw cannotTell('storage.layer', `${what} has an entry of the unknown type ${type}`);
    }
  } catch (error) {
    if (error instanceof TcfError) throw error;
    const isForbidden = codeOf(error) === 'EACCES';
    throw cannotTell('storage.layer', `cannot read ${what}: ${reasonOf(error)}`, {
      cause: error,
      // Files of other users of a rootless image belong to ids of their own.
      ...(isForbidden ? { hint: 'run the same behind "podman unshare"' } : {}),
    });
  }
  yield* out.rest();
}

function payloadOf(entry: Shape, what: string): Uint8Array {
  const payload = entry.get('payload');
  const bytes =
    payload.value === null || payload.missing ? new Uint8Array(0) : decodeBase64(payload.string(maxLine));
  if (bytes === undefined) throw cannotTell('storage.layer', `${what} has an entry that is not base64`);
  return bytes;
}

async function* contentOf(entry: Shape, finder: FileFinder, out: Joined, what: string): Bytes {
  const size = entry.optional('size')?.whole() ?? 0;
  if (size === 0) return;
  const name = nameOf(entry, what);
  const path = await finder.find(name);
  const file = path && openIn(path);
  if (file === undefined) throw cannotTell('storage.layer', `${what} has lost ${quoted(toText(name))}`);
  try {
    if (fstatSync(file).size !== size)
      throw cannotTell('storage.layer', `${what} has another ${quoted(toText(name))} than was unpacked`);
    for (let at = 0; at < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkSize, size - at));
      const read = readSync(file, buffer, 0, buffer.length, at);
      if (read === 0) throw cannotTell('storage.layer', `${what} changed while it was read`);
      yield* out.add(buffer.subarray(0, read));
      at += read;
    }
  } finally {
    closeSync(file);
  }
}

/** Names are bytes: what is not UTF-8 stands in `name_raw`. */
function nameOf(entry: Shape, what: string): string {
  const raw = entry.optional('name_raw');
  if (raw === undefined) return Buffer.from(entry.get('name').string(8192)).toString('latin1');
  const bytes = decodeBase64(raw.string(8192));
  if (bytes === undefined) throw cannotTell('storage.layer', `${what} has a name that is not base64`);
  return Buffer.from(bytes).toString('latin1');
}

/**
 * A regular file, or nothing: a link, a pipe or a device of that name was not what the layer unpacked. The small ones of a layer are read
 * synchronously, since a hundred thousand trips to the thread pool take longer than the reading.
 */
function openIn(path: Buffer): number | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  return undefined;
}

/**
 * Finds files below a directory without leaving it. An image may bring `etc -> /etc` and then `etc/shadow`: its unpacker, which has changed
 * its root, wrote below the layer's directory, and there we look, not in the host's /etc.
 */
class FileFinder {
  readonly #root: string;
  readonly #directories: Map<string, string | undefined> = new Map([['', '']]);

  constructor(root: string) {
    this.#root = Buffer.from(root).toString('latin1');
  }

  async find(name: string): Promise<Buffer | undefined> {
    const path = cleanPath(name);
    const slash = path.lastIndexOf('/');
    const directory = await this.#real(path.slice(0, Math.max(0, slash)));
    return directory === undefined ? undefined : this.#absolute(joinPath(directory, path.slice(slash + 1)));
  }

  #absolute(path: string): Buffer {
    return Buffer.from(joinPath(this.#root, path), 'latin1');
  }

  async #real(path: string): Promise<string | undefined> {
    if (!this.#directories.has(path)) this.#directories.set(path, await this.#resolve(path));
    return this.#directories.get(path);
  }

  async #resolve(path: string): Promise<string | undefined> {
    const todo = path.split('/').reverse();
    const real: string[] = [];
    let links = 0;
    for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        real.pop();
        continue;
      }
      const target = await this.#linkTarget(joinPath(real.join('/'), part));
      if (target === undefined) {
        real.push(part);
        continue;
      }
      links += 1;
      if (links > maxLinks) return undefined;
      if (target.startsWith('/')) real.length = 0;
      todo.push(...target.split('/').reverse());
    }
    return real.join('/');
  }

  async #linkTarget(path: string): Promise<string | undefined> {
    try {
      const absolute = this.#absolute(path);
      if (!(await lstat(absolute)).isSymbolicLink()) return undefined;
      return (await readlink(absolute, { encoding: 'buffer' })).toString('latin1');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
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

async function* linesOf(split: Bytes, what: string): AsyncIterable<string> {
  const gunzip = createGunzip({ chunkSize });
  pipeline(split, gunzip, () => {
    // The error, if any, comes out of the iteration below: pipeline destroys the transform with it.
  });
  let rest = '';
  for await (const chunk of gunzip as AsyncIterable<Buffer>) {
    // JSON lines with base64 in them: a name in UTF-8 may be cut between two chunks, so bytes are joined before they are decoded.
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLine) throw cannotTell('storage.layer', `${what} has an entry that is too long`);
    for (const line of lines) if (line !== '') yield Buffer.from(line, 'latin1').toString('utf8');
  }
  if (rest !== '') throw cannotTell('storage.layer', `${what} is cut off`);
}
