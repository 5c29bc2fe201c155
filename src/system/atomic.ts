import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { link, open, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing, isTaken } from './errors.ts';
import { untilFinished } from './unfinished.ts';

/** What a file is made of; a stream is written as it comes. */
export type Content = AsyncIterable<Uint8Array> | string | Uint8Array;

/**
 * Ends the names of files that are not whole yet; they begin with a dot and stand beside the file that they
 * become.
 */
export const temporaryEnd = '.tmp';

export const temporaryBeside = (path: string): string =>
  join(dirname(path), `.${randomUUID()}${temporaryEnd}`);

/**
 * Writes a whole file or none of it: into a temporary file beside it, synced, then renamed, so that neither a
 * full disk nor a kill leaves half a file under the final name, and a reader sees the old content or the new
 * one. A file that stands there is replaced.
 *
 * @param mode Permission bits of the new file.
 * @throws the system's error.
 */
export async function replaceFile(path: string, content: Content, mode = 0o644): Promise<void> {
  await place(path, content, mode, rename);
}

/**
 * As `replaceFile`, but what stands there stays. Of several writers at once exactly one makes the file.
 *
 * @returns false where something stands there already.
 * @throws the system's error.
 */
export async function createFile(path: string, content: Content, mode = 0o644): Promise<boolean> {
  try {
    await place(path, content, mode, link);
    return true;
  } catch (error) {
    if (isTaken(error)) {
      return false;
    }
    throw error;
  }
}

/** Says that a file was used just now. @throws the system's error. */
export async function touchFile(path: string, now: Date): Promise<void> {
  await utimes(path, now, now);
}

/** `createFile` without the thread pool: before a start, each hop there takes longer than the write. */
export function createFileSync(path: string, content: string, mode: number): boolean {
  const temporary = temporaryBeside(path);
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode, flush: true });
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (isTaken(error)) {
      return false;
    }
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Takes a file away that has this content, and no other one that somebody put in its place meanwhile: what
 * was taken is looked at again, and given back where it is not the one that was meant.
 *
 * @throws the system's error.
 */
export function removeFileOf(path: string, content: string): void {
  const taken = temporaryBeside(path);
  try {
    renameSync(path, taken);
    if (readFileSync(taken, 'utf8') !== content) {
      linkSync(taken, path);
    }
  } catch (error) {
    if (!isMissing(error) && !isTaken(error)) {
      throw error;
    }
  } finally {
    rmSync(taken, { force: true });
  }
}

type Move = (from: string, to: string) => Promise<void>;

async function place(path: string, content: Content, mode: number, move: Move): Promise<void> {
  const temporary = temporaryBeside(path);
  using _ = untilFinished(temporary);
  try {
    await using file = await open(temporary, 'wx', mode);
    if (typeof content === 'string' || content instanceof Uint8Array) {
      await file.writeFile(content);
    } else {
      for await (const chunk of content) {
        await file.writeFile(chunk);
      }
    }
    await file.sync();
    await move(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
