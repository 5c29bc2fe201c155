import { constants } from 'node:fs';
import { access, type FileHandle, open } from 'node:fs/promises';
import { type Bytes, collect } from '../base/bytes.ts';
import { cannotTell, reasonOf } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { isMissing } from '../system/errors.ts';

const chunkSize = 256 * 1024;

/**
 * Opens a regular file for reading. A pipe or a device in a directory that a stranger packed would hang us or
 * worse: opening does not wait, and what is not a regular file is refused.
 *
 * @throws TcfError `image.file` (exit 2); `undefined` where there is no such file.
 */
export async function openRegular(path: string | Buffer): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw cannotTell('image.file', `cannot read ${quoted(String(path))}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  if ((await handle.stat()).isFile()) {
    return handle;
  }
  await handle.close();
  throw cannotTell('image.file', `${quoted(String(path))} is not a regular file`);
}

/**
 * Whether there is anything of that name; a folder that may not be looked into is an error of whoever reads
 * it.
 */
export async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    return !isMissing(error);
  }
}

/** The bytes of an open file from `start`, at most `length` of them. The handle stays open. */
export async function* range(handle: FileHandle, start = 0, length: number = Number.MAX_SAFE_INTEGER): Bytes {
  for (let at = 0; at < length; ) {
    const wanted = Math.min(chunkSize, length - at);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, start + at);
    if (bytesRead === 0) {
      return;
    }
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/**
 * A whole file as a stream, opened when it is read.
 *
 * @throws TcfError `image.file` (exit 2), also where it is missing.
 */
export async function* fileBytes(path: string): Bytes {
  const handle = await openRegular(path);
  if (handle === undefined) {
    throw cannotTell('image.file', `there is no file ${quoted(path)}`);
  }
  try {
    yield* range(handle);
  } finally {
    await handle.close();
  }
}

/** A small file in one piece; `undefined` where there is none. */
export async function readSmall(path: string, limit: number): Promise<Uint8Array | undefined> {
  const handle = await openRegular(path);
  if (handle === undefined) {
    return undefined;
  }
  try {
    return await collect(range(handle), limit, quoted(path));
  } finally {
    await handle.close();
  }
}
