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
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Bytes, collect } from '../base/bytes.ts';
import { askedWrongly, cannotTell, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { createFile } from './atomic.ts';
import { appendTo, destinationOf, tryDestination, writeTo } from './destination.ts';
import { isMissing, isSystemError, systemWords } from './errors.ts';
import type { Host } from './host.ts';
import { isStandard, readStandardInput } from './standard.ts';

const chunkSize = 64 * 1024;

/**
 * Reads a file that the user named, at most `limit` bytes. It may be a pipe: `--policy <(make-policy)`, and
 * `-` is standard input.
 *
 * @throws TcfError `file.unreadable` (exit 3), `bytes.too-large` (exit 2).
 */
export async function readUserFile(
  host: Host,
  path: string,
  limit: number,
  what: string,
): Promise<Uint8Array> {
  if (isStandard(path)) {
    return await readStandardInput(host, limit, what);
  }
  const full = resolve(host.cwd, path);
  const name = `${what} ${quoted(path)}`;
  const open = () => (statSync(full).isFile() ? chunksOf(full, name) : createReadStream(full));
  return await readBytes(path, what, async () => await collect(open(), limit, name));
}

/**
 * Reads a file that nobody typed: it stands at a place that tcf knows, or a document names it, and either may
 * have come with a project. A pipe or a terminal there, perhaps behind a symbolic link, would hold us up for
 * ever: opening does not wait, and what is no regular file is refused.
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

/**
 * Not through the thread pool: a hop there and back takes longer than the files that stand before a start are
 * long.
 */
async function* chunksOf(path: string, what: string): Bytes {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) {
      throw askedWrongly('file.unreadable', `${what} is not a regular file`);
    }
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkSize);
      const size = readSync(file, chunk);
      if (size === 0) {
        return;
      }
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
    if (!isSystemError(error)) {
      throw error;
    }
    throw askedWrongly('file.unreadable', `cannot read ${what} ${quoted(path)}: ${systemWords(error)}`, {
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
 * Writes a whole file or none of it. A link is followed, and a device or a pipe that stands there is written
 * to: only a regular file or nothing is ever replaced. `-` is standard output.
 *
 * @throws TcfError `file.unwritable`, `file.exists` (exit 3), `output.unwritable` (exit 2).
 */
export async function writeUserFile(
  host: Host,
  path: string,
  content: Uint8Array | string,
  { exclusive = false, mode }: WriteOptions = {},
): Promise<void> {
  if (isStandard(path)) {
    await host.stdout.write(content);
    return;
  }
  const full = resolve(host.cwd, path);
  await written(path, async () => {
    if (!exclusive) {
      await writeTo(await destinationOf(full), content, mode);
    } else if (!(await createFile(full, content, mode))) {
      throw fileExistsAlready(path);
    }
  });
}

function fileExistsAlready(path: string): TcfError {
  return askedWrongly('file.exists', `${quoted(path)} exists already`, {
    hint: 'move it away or choose another name; nothing was changed',
  });
}

/**
 * Looks whether an output that the user named can be written, before the work whose result it takes. Nothing
 * is changed; a disk that fills up meanwhile is found when the output is written.
 *
 * @param path `undefined` is standard output, as in `writeOutput`.
 * @throws TcfError `file.unwritable`, `file.exists` (exit 3).
 */
export async function expectWritable(
  host: Host,
  path: string | undefined,
  how: 'append' | 'exclusive' | 'replace' = 'replace',
): Promise<void> {
  if (path === undefined || isStandard(path)) {
    return;
  }
  if (how === 'exclusive' && fileExists(host, path)) {
    throw fileExistsAlready(path);
  }
  await written(path, async () => {
    const to = await destinationOf(resolve(host.cwd, path));
    if (to.kind === 'through' && statSync(to.path).isDirectory()) {
      throw askedWrongly('file.unwritable', `cannot write ${quoted(path)}: it is a folder`, {
        hint: 'name a file in it',
      });
    }
    tryDestination(to, how === 'append' ? 'append' : 'make');
  });
}

async function written(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isSystemError(error)) {
      throw error;
    }
    throw askedWrongly('file.unwritable', `cannot write ${quoted(path)}: ${systemWords(error)}`, {
      cause: error,
    });
  }
}

/**
 * The product of a verb, on standard output or in the file that the user named.
 *
 * @throws TcfError `file.unwritable` (exit 3), `output.unwritable` (exit 2).
 */
export async function writeOutput(host: Host, text: string, path: string | undefined): Promise<void> {
  if (path === undefined) {
    await host.stdout.write(text);
  } else {
    await writeUserFile(host, path, text);
  }
}

/**
 * As `writeUserFile`, for what is too large to be held.
 *
 * @throws TcfError `file.unwritable` (exit 3), `output.unwritable` (exit 2).
 */
export async function writeUserStream(host: Host, path: string, content: Bytes): Promise<void> {
  if (isStandard(path)) {
    for await (const chunk of content) {
      await host.stdout.write(chunk);
    }
    return;
  }
  await written(path, async () => await writeTo(await destinationOf(resolve(host.cwd, path)), content));
}

/** A folder for files to be written, with those above it. @throws TcfError `file.unwritable` (exit 3). */
export async function makeFolder(host: Host, path: string): Promise<void> {
  try {
    await mkdir(resolve(host.cwd, path), { recursive: true });
  } catch (error) {
    if (!isSystemError(error)) {
      throw error;
    }
    throw askedWrongly('file.unwritable', `cannot make the folder ${quoted(path)}: ${systemWords(error)}`, {
      cause: error,
    });
  }
}

/**
 * Whether anything stands at the path.
 *
 * @throws TcfError `file.unreadable` (exit 2) where that cannot be found out: a file that may not be seen is
 *   not absent.
 */
export function fileExists(host: Host, path: string): boolean {
  try {
    return lstatSync(resolve(host.cwd, path), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isMissing(error)) {
      return false;
    }
    if (!isSystemError(error)) {
      throw error;
    }
    throw cannotTell('file.unreadable', `cannot look for ${quoted(path)}: ${systemWords(error)}`, {
      hint: 'check who may read the folders above it, and HOME and XDG_CONFIG_HOME where tcf chose the path',
      cause: error,
    });
  }
}

/**
 * Adds to a file that others write to as well, such as GITHUB_STEP_SUMMARY. `-` is standard output.
 *
 * @throws TcfError `file.unwritable` (exit 3), `output.unwritable` (exit 2).
 */
export async function appendUserFile(host: Host, path: string, content: string): Promise<void> {
  if (isStandard(path)) {
    await host.stdout.write(content);
    return;
  }
  await written(path, async () => await appendTo(await destinationOf(resolve(host.cwd, path)), content));
}
