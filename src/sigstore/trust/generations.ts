import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { collect } from '../../base/bytes.ts';
import { askedWrongly, cannotTell, reasonOf } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { createFile, temporaryEnd } from '../../system/atomic.ts';
import { codeOf } from '../../system/errors.ts';
import { isForeign, isOpen } from '../../system/owners.ts';

/** The newest generation of a document. */
export interface Generation {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** Who may read a document; nobody but its owner ever writes. */
export type Readers = 'everyone' | 'owner';

const name = /^([1-9]\d{0,14})\.json$/;
/** A reader that is overtaken this often does not meet writers, but a broken file system. */
const attempts = 100;
/** Milliseconds after which a temporary file is an orphan. */
const abandoned = 3_600_000;

/**
 * Reads the newest generation of the document in `folder`; `undefined` where there is none.
 *
 * A document is a folder of numbered files. A new one is written beside the others and linked to the next
 * number, which succeeds for one writer only. So readers see a whole document or the one before, whatever is
 * killed when, and no two runs overwrite each other; no lock can be left behind.
 *
 * @throws TcfError `trust.unsafe`, `trust.unreadable`, `bytes.too-large` (exit 2).
 */
export async function readNewest(
  folder: string,
  limit: number,
  what: string,
): Promise<Generation | undefined> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const number = await newestIn(folder);
    if (number === 0) {
      return undefined;
    }
    const path = join(folder, `${number}.json`);
    try {
      await refuseForeign(folder);
      await refuseForeign(path);
      return { number, bytes: await collect(createReadStream(path), limit, what) };
    } catch (error) {
      // Two newer ones have come meanwhile, and this one was cleared away.
      if (codeOf(error) !== 'ENOENT') {
        throw unreadable(error, path);
      }
    }
  }
  throw cannotTell('trust.unreadable', `cannot read ${what}: it keeps changing`);
}

/**
 * Writes the generation after `before`, synced. `false`: somebody else has written it first, and nothing was
 * changed.
 *
 * @throws TcfError `file.unwritable` (exit 3).
 */
export async function writeNext(
  folder: string,
  before: number,
  bytes: Uint8Array,
  readers: Readers = 'owner',
): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: readers === 'owner' ? 0o700 : 0o755 });
    const linked = await writeOnce(folder, before + 1, bytes, readers === 'owner' ? 0o600 : 0o644);
    // A late writer, whose number was cleared away, must not become the newest.
    if (!linked || (await newestIn(folder)) !== before + 1) {
      return false;
    }
    await clear(folder, before);
    return true;
  } catch (error) {
    if (codeOf(error) === '') {
      throw error;
    }
    throw askedWrongly('file.unwritable', `cannot write to ${quoted(folder)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function writeOnce(folder: string, number: number, bytes: Uint8Array, mode: number): Promise<boolean> {
  const isFirst = await createFile(join(folder, `${number}.json`), bytes, mode);
  if (isFirst) {
    await syncFolder(folder);
  }
  return isFirst;
}

async function newestIn(folder: string): Promise<number> {
  try {
    const numbers = (await readdir(folder)).map((entry) => Number(name.exec(entry)?.[1] ?? 0));
    return Math.max(0, ...numbers);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return 0;
    }
    throw unreadable(error, folder);
  }
}

/** Another user with write access here would choose whom to trust. */
async function refuseForeign(path: string): Promise<void> {
  const stat = await lstat(path);
  const own = userInfo().uid;
  // Windows has neither.
  if (own === -1 || (!isOpen(stat) && !isForeign(stat, own))) {
    return;
  }
  throw cannotTell('trust.unsafe', `will not trust ${quoted(path)}: others may write to it`, {
    hint: 'take it into your own hands with chown and chmod go-w, or remove it',
  });
}

/** A power cut before this call may lose the new name, and with it the protection against rollback. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

/** Removes what nobody reads any more. The generation before stays: a reader may have just chosen it. */
async function clear(folder: string, before: number): Promise<void> {
  for (const entry of await readdir(folder)) {
    const number = Number(name.exec(entry)?.[1] ?? Number.POSITIVE_INFINITY);
    const path = join(folder, entry);
    if (number < before || (entry.endsWith(temporaryEnd) && (await isAbandoned(path)))) {
      await rm(path, { force: true });
    }
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    return Date.now() - (await lstat(path)).mtimeMs > abandoned;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return false;
    }
    throw error;
  }
}

function unreadable(error: unknown, path: string): unknown {
  if (codeOf(error) === '' || (error as NodeJS.ErrnoException).syscall === undefined) {
    return error;
  }
  return cannotTell('trust.unreadable', `cannot read ${quoted(path)}: ${reasonOf(error)}`, { cause: error });
}
