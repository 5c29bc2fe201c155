import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { appendFile, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Bytes, collect } from '../base/bytes.ts';
import { askedWrongly, reasonOf } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Host } from './host.ts';

const chunkSize = 64 * 1024;

/**
 * Reads a file that the user named, at most `limit` bytes. It may be a pipe: `--policy <(make-policy)`.
 *
 * @throws TcfError `file.unreadable` (exit 3), `bytes.too-large` (exit 2).
 */
export async function readUserFile(
  host: Host,
  path: string,
  limit: number,
  what: string,
): Promise<Uint8Array> {
  const full = resolve(host.cwd, path);
  const name = `${what} ${quoted(path)}`;
  const open = () => (statSync(full).isFile() ? chunksOf(full, name) : createReadStream(full));
  return await readBytes(path, what, async () => await collect(open(), limit, name));
}

/**
 * Reads a file that nobody typed: it stands at a place that tcf knows, or a document names it, and either may have come with a project. A pipe or a
 * terminal there, perhaps behind a symbolic link, would hold us up for ever: opening does not wait, and what is no regular file is refused.
 *
 * @throws TcfError `file.unreadable` (exit 3), `bytes.too-large` (exit 2).
 */
export async function readPlainFile(
  host: Host,
  path: string,
  limit: number,
  what: string,
): Promise<Uint8Array> {
  const name = `${what} ${quoted(path)}`;
  return await readBytes(
    path,
    what,
    async () => await collect(chunksOf(resolve(host.cwd, path), name), limit, name),
  );
}

/** Not through the thread pool: a hop there and back takes longer than the files that stand before a start are long. */
async function* chunksOf(path: string, what: string): Bytes {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) throw askedWrongly('file.unreadable', `${what} is not a regular file`);
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkSize);
      const size = readSync(file, chunk);
      if (size === 0) return;
      yield chunk.subarray(0, size);
    }
  } finally {
    closeSync(file);
  }
}

async function readBytes(path: string, what: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await read();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw askedWrongly('file.unreadable', `cannot read ${what} ${quoted(path)}: ${reasonOf(error)}`, {
      hint: 'check the path and who may read it',
      cause: error,
    });
  }
}

export interface WriteOptions {
  /** Permission bits of a new file. */
  readonly mode?: number;
  /** Fail with `file.exists` instead of replacing what is there. */
  readonly exclusive?: boolean;
}

/**
 * Writes a whole file or none of it: into a temporary file beside it, synced, then renamed, so that a full disk or a kill never leaves half an
 * SBOM under the final name.
 *
 * @throws TcfError `file.unwritable`, `file.exists` (exit 3).
 */
export async function writeUserFile(
  host: Host,
  path: string,
  content: Uint8Array | string,
  options: WriteOptions = {},
): Promise<void> {
  const full = resolve(host.cwd, path);
  const temporary = join(dirname(full), `.${basename(full)}.${crypto.randomUUID().slice(0, 8)}.tmp`);
  try {
    await using file = await open(temporary, 'wx', options.mode ?? 0o644);
    await file.writeFile(content);
    await file.sync();
    if (options.exclusive) await link(temporary, full);
    else await rename(temporary, full);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === 'EEXIST') {
      throw askedWrongly('file.exists', `${quoted(path)} exists already`, {
        hint: 'move it away or choose another name; nothing was changed',
      });
    }
    throw askedWrongly('file.unwritable', `cannot write ${quoted(path)}: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A folder for files to be written, with those above it. @throws TcfError `file.unwritable` (exit 3). */
export async function makeFolder(host: Host, path: string): Promise<void> {
  try {
    await mkdir(resolve(host.cwd, path), { recursive: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw askedWrongly('file.unwritable', `cannot make the folder ${quoted(path)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Whether anything stands at the path. @throws the system's error where that cannot be found out: a file that may not be seen is not absent. */
export function fileExists(host: Host, path: string): boolean {
  return lstatSync(resolve(host.cwd, path), { throwIfNoEntry: false }) !== undefined;
}

/** Adds to a file that others write to as well, such as GITHUB_STEP_SUMMARY. @throws TcfError `file.unwritable` (exit 3). */
export async function appendUserFile(host: Host, path: string, content: string): Promise<void> {
  try {
    await appendFile(resolve(host.cwd, path), content);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw askedWrongly('file.unwritable', `cannot write ${quoted(path)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
