import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { compact } from '../base/compact.ts';
import { askedWrongly, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { type ChainEnd, chainEnd } from '../report/decision-entry.ts';
import { formatPruning } from '../report/pruning-entry.ts';
import { isSystemError } from '../system/errors.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';
import {
  append,
  checkLog,
  entryNumbers,
  entryPath,
  lastEntryTime,
  logFolder,
  perFolder,
  readBytes,
  readEntry,
} from './decision-log.ts';

/** What stays: so many decisions, or what is not older than a time. */
export type Kept = { readonly keep: number } | { readonly from: Date };

export type Pruned =
  | { readonly count: number; readonly pruned?: ChainEnd; readonly end?: ChainEnd }
  | { readonly broken: string };

/**
 * Takes away the beginning of the log. First an entry at its end owns up to it, with the digest of the last
 * entry that goes, then the entries go, the oldest first: whenever this is killed, what is left is a chain
 * that can be proven, and the next time it goes on. A log that is broken is left as it is.
 *
 * @throws TcfError `folder.shared`, `log.busy` (exit 2).
 */
export async function pruneLog(host: Host, kept: Kept): Promise<Pruned> {
  const log = await checkLog(host);
  if ('broken' in log) {
    return log;
  }
  const left = await removeBefore(host, (log.pruning?.pruned.sequence ?? -1) + 1);
  const first = await firstKept(host, left, kept);
  const last = first === undefined ? undefined : left[left.indexOf(first) - 1];
  if (first === undefined || last === undefined) {
    return compact({ count: 0, end: log.end });
  }
  const pruned = chainEnd(last, await readBytes(host, last));
  const latest = await lastEntryTime(host);
  const facts = { at: host.now(), latest, tcf: version, uid: host.uid, pruned };
  const end = await append(host, (previous) => formatPruning(facts, previous ?? pruned));
  await syncFolders(entryPath(logFolder(host), end.sequence));
  await removeBefore(host, first);
  return { count: left.indexOf(first), pruned, end };
}

/** The oldest entry that stays. The last one always does: the next one names it. */
async function firstKept(host: Host, numbers: readonly number[], kept: Kept): Promise<number | undefined> {
  const read = async (number: number) => (await readEntry(host, number)).logged;
  if ('from' in kept) {
    for (const number of numbers) {
      if (new Date((await read(number)).entry.at) >= kept.from) {
        return number;
      }
    }
    return numbers.at(-1);
  }
  // Decisions count; otherwise pruning every day would in the end leave nothing but entries about pruning.
  let left = kept.keep;
  for (const number of numbers.toReversed()) {
    if ((await read(number)).kind === 'decision') {
      left -= 1;
    }
    if (left === 0) {
      return number;
    }
  }
  return numbers[0];
}

/** Removes the entries before `first`, the oldest first; says which are left. */
async function removeBefore(host: Host, first: number): Promise<readonly number[]> {
  const folder = logFolder(host);
  const numbers = entryNumbers(host);
  const old = numbers.filter((number) => number < first);
  for (const number of old) {
    await rm(entryPath(folder, number), { force: true });
  }
  for (const block of new Set(old.map((number) => Math.floor(number / perFolder)))) {
    const end = (block + 1) * perFolder;
    // Nobody adds to a full block.
    if (end <= first) {
      await rm(dirname(entryPath(folder, end - 1)), { recursive: true, force: true });
    }
  }
  return numbers.filter((number) => number >= first);
}

/** Until then the name of a new entry may be lost with the power, while what it owns up to is gone. */
async function syncFolders(path: string): Promise<void> {
  for (const folder of [dirname(path), dirname(dirname(path))]) {
    await using handle = await open(folder, 'r');
    await handle.sync();
  }
}

/**
 * Moves a log that is broken or cannot be read out of the way, whole, so that the next decision begins a new
 * one. A digest that was written down before is not in the new log, and `checkLog` says so.
 *
 * @returns where the old log is.
 * @throws TcfError `log.whole`, `file.unwritable` (exit 3).
 */
export async function archiveLog(host: Host): Promise<string> {
  if (await isWhole(host)) {
    throw askedWrongly('log.whole', 'the log is an unbroken chain', {
      hint: 'tcf log prune takes old entries away, and what stays can still be proven',
    });
  }
  const folder = logFolder(host);
  const archive = `${folder}.archived-${host
    .now()
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')}`;
  try {
    await rename(folder, archive);
    return archive;
  } catch (error) {
    if (!isSystemError(error)) {
      throw error;
    }
    throw askedWrongly('file.unwritable', `cannot rename ${quoted(folder)}: ${error.message}`, {
      cause: error,
    });
  }
}

async function isWhole(host: Host): Promise<boolean> {
  try {
    return !('broken' in (await checkLog(host)));
  } catch (error) {
    if (error instanceof TcfError && error.code === 'log.unreadable') {
      return false;
    }
    throw error;
  }
}
