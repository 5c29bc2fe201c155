import { accessSync, constants } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { broken, type Diagnostic, ok } from '../../base/diagnostic.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { isSystemError } from '../../system/errors.ts';
import { fileExists, readPlainFile, writeUserFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { whoElseWrites } from '../../system/owners.ts';

/** Hooks and configuration files of runtimes are small. */
const limit = 1024 * 1024;

/** The text of a hook file; `undefined` where there is none. @throws TcfError `file.unreadable` (exit 3). */
export async function readHookFile(host: Host, path: string): Promise<string | undefined> {
  if (!fileExists(host, path)) {
    return undefined;
  }
  return decodeUtf8(await readPlainFile(host, path, limit, 'the file'));
}

export async function writeHookFile(host: Host, path: string, text: string, mode = 0o644): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  } catch (error) {
    if (!isSystemError(error)) {
      throw error;
    }
    throw askedWrongly(
      'file.unwritable',
      `cannot make the folder ${quoted(dirname(path))}: ${error.message}`,
      {
        hint: 'hooks of the whole machine are installed by root',
        cause: error,
      },
    );
  }
  await writeUserFile(host, path, text, { mode });
}

/** `removed PATH`, or nothing where there was no such file. */
export async function removeHookFile(host: Host, path: string): Promise<readonly string[]> {
  if (!fileExists(host, path)) {
    return [];
  }
  try {
    await rm(path);
  } catch (error) {
    if (!isSystemError(error)) {
      throw error;
    }
    throw askedWrongly('file.unwritable', `cannot remove ${quoted(path)}: ${error.message}`);
  }
  return [`removed ${path}`];
}

/**
 * Whether the absolute paths in `words` are still there: a hook whose program is gone denies everything, or
 * nothing at all.
 */
export function programFinding(words: readonly string[], hint: string): Diagnostic {
  for (const path of words.filter((word) => word.startsWith('/'))) {
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      if (!isSystemError(error)) {
        throw error;
      }
      return broken('hook.program', `its program ${quoted(path)} is not there`, hint);
    }
  }
  return ok('hook.program', `its program is ${words.join(' ')}`);
}

/** A hook that others can change decides nothing. */
export function ownerFinding(host: Host, path: string): Diagnostic {
  const why = whoElseWrites(path, host.uid);
  if (why === undefined) {
    return ok('hook.owner', `${path} is in place`);
  }
  return broken('hook.owner', why, `chown it to ${host.uid === 0 ? 'root' : 'yourself'} and chmod go-w`);
}
