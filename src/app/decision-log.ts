import { mkdirSync, readdirSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeUtf8 } from '../base/bytes.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { plural, printable, quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Verdict } from '../policy/decide.ts';
import type { Policy } from '../policy/document.ts';
import { type ChainEnd, chainEnd, formatDecision } from '../report/decision-entry.ts';
import { Chain } from '../report/log-chain.ts';
import { formatPruning, type PruningEntry, parseLogEntry } from '../report/pruning-entry.ts';
import { createFileSync } from '../system/atomic.ts';
import { isSystemError } from '../system/errors.ts';
import { readPlainFile } from '../system/files.ts';
import { openPrivateFolder, stateFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';

/** Entries in one folder. */
const perFolder = 1000;
/** Others who write at the same moment each take one number away. */
const maxAttempts = 1000;

export const logFolder = (host: Host): string => join(stateFolder(host), 'decisions');

export type Decided = {
  readonly verb: string;
  readonly name: string;
  readonly policies: readonly Policy[];
} & ({ readonly verdict: Verdict } | { readonly error: TcfError });

/**
 * Adds a decision to the log. Each entry is a file that appears whole or not at all (`link`), under the next
 * number, so neither a kill nor ten writers at once leave half an entry or the same number twice. A log that
 * cannot be written is a warning: it must not be a way to stop a machine, nor does it make an image good.
 */
export async function logDecision(host: Host, decided: Decided): Promise<void> {
  const { name, policies, verb, ...outcome } = decided;
  const facts = { asked: name, at: host.now(), tcf: version, uid: host.uid, verb, policies, ...outcome };
  try {
    await append(host, (last) => formatDecision(facts, last));
  } catch (error) {
    if (!(error instanceof TcfError) && !isSystemError(error)) throw error;
    await host.stderr.write(
      `tcf: warning: this decision is not in the log: ${printable(error.message, 2000)}\n`,
    );
  }
}

/**
 * Adds the entry that `make` makes to follow the last one, and says which it is. @throws TcfError
 * `folder.shared`, `log.busy` (exit 2).
 */
async function append(host: Host, make: (last: ChainEnd | undefined) => string): Promise<ChainEnd> {
  const folder = logFolder(host);
  openPrivateFolder(host, folder);
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const last = await lastEntry(host);
    const text = make(last);
    const sequence = last === undefined ? 0 : last.sequence + 1;
    if (addEntry(folder, sequence, text)) return chainEnd(sequence, text);
  }
  throw cannotTell('log.busy', `${quoted(folder)} is being written by too many at once`);
}

/**
 * Not through the thread pool, as all that stands before a start: each hop would take longer than what it is
 * for.
 */
function addEntry(folder: string, sequence: number, text: string): boolean {
  const path = entryPath(folder, sequence);
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
  return createFileSync(path, text, 0o600);
}

/** The text of an entry. @throws TcfError `log.missing`, `log.malformed` (exit 2). */
export async function readEntry(host: Host, sequence: number): Promise<string> {
  const path = entryPath(logFolder(host), sequence);
  const text = decodeUtf8(await readPlainFile(host, path, jsonLimits.small.maxBytes, 'the log entry'));
  if (text === undefined) throw cannotTell('log.malformed', `${quoted(path)} is not UTF-8`);
  return text;
}

/** Numbers of all entries, ascending. A log that nobody has begun is empty. */
export function entryNumbers(host: Host): readonly number[] {
  const folder = logFolder(host);
  const numbers: number[] = [];
  for (const block of numbersIn(folder)) {
    const within = numbersIn(join(folder, pad(block)));
    numbers.push(...within.map((number) => block * perFolder + number));
  }
  return numbers;
}

export type LogCheck =
  | {
      /** Decisions; entries about pruning are none. */
      readonly count: number;
      readonly end?: ChainEnd;
      readonly hasWanted: boolean;
      /** Why the log does not begin with its first entry. */
      readonly pruning?: PruningEntry;
    }
  /** Where the chain breaks, and how. */
  | { readonly broken: string };

/**
 * Follows the chain from its beginning, or from where it was pruned. `wanted` is a digest that somebody wrote
 * down, and that has to be in it.
 *
 * @throws TcfError (exit 2) for an entry that is none.
 */
export async function checkLog(host: Host, wanted?: Digest): Promise<LogCheck> {
  const chain = new Chain();
  let count = 0;
  for (const number of entryNumbers(host)) {
    const text = await readEntry(host, number);
    const entry = parseLogEntry(text, `entry ${number}`);
    const missing = chain.end === undefined ? 0 : number - chain.end.sequence - 1;
    const wrong = missing === 0 ? chain.add(chainEnd(number, text), entry) : gone(missing);
    if (wrong !== undefined) return { broken: `entry ${number}: ${wrong}` };
    if (entry.kind === 'decision') count += 1;
  }
  const first = chain.unexplained();
  if (first !== undefined) return { broken: `entry ${first}: ${gone(first)}` };
  const { end, pruning } = chain;
  return {
    count,
    hasWanted: wanted === undefined || chain.has(wanted),
    ...(end === undefined ? {} : { end }),
    ...(pruning === undefined ? {} : { pruning }),
  };
}

const gone = (count: number) =>
  `${plural(count, 'entry', 'entries')} before it ${count === 1 ? 'is' : 'are'} gone`;

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
  if ('broken' in log) return log;
  const left = await removeBefore(host, (log.pruning?.pruned.sequence ?? -1) + 1);
  const first = await firstKept(host, left, kept);
  const last = first === undefined ? undefined : left[left.indexOf(first) - 1];
  if (first === undefined || last === undefined)
    return { count: 0, ...(log.end === undefined ? {} : { end: log.end }) };
  const pruned = chainEnd(last, await readEntry(host, last));
  const facts = { at: host.now(), tcf: version, uid: host.uid, pruned };
  const end = await append(host, (previous) => formatPruning(facts, previous ?? pruned));
  await syncFolders(entryPath(logFolder(host), end.sequence));
  await removeBefore(host, first);
  return { count: left.indexOf(first), pruned, end };
}

/** The oldest entry that stays. The last one always does: the next one names it. */
async function firstKept(host: Host, numbers: readonly number[], kept: Kept): Promise<number | undefined> {
  const read = async (number: number) => parseLogEntry(await readEntry(host, number), `entry ${number}`);
  if ('from' in kept) {
    for (const number of numbers) if (new Date((await read(number)).entry.at) >= kept.from) return number;
    return numbers.at(-1);
  }
  // Decisions count; otherwise pruning every day would in the end leave nothing but entries about pruning.
  let left = kept.keep;
  for (const number of numbers.toReversed()) {
    if ((await read(number)).kind === 'decision') left -= 1;
    if (left === 0) return number;
  }
  return numbers[0];
}

/** Removes the entries before `first`, the oldest first; says which are left. */
async function removeBefore(host: Host, first: number): Promise<readonly number[]> {
  const folder = logFolder(host);
  const numbers = entryNumbers(host);
  const old = numbers.filter((number) => number < first);
  for (const number of old) await rm(entryPath(folder, number), { force: true });
  for (const block of new Set(old.map((number) => Math.floor(number / perFolder)))) {
    // Nobody adds to a full block.
    if ((block + 1) * perFolder <= first)
      await rm(join(folder, pad(block)), { recursive: true, force: true });
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

async function lastEntry(host: Host): Promise<ChainEnd | undefined> {
  const folder = logFolder(host);
  // A folder is made before its first entry, so the last one may still be empty.
  for (const block of numbersIn(folder).toReversed()) {
    const last = numbersIn(join(folder, pad(block))).at(-1);
    if (last === undefined) continue;
    const sequence = block * perFolder + last;
    return chainEnd(sequence, await readEntry(host, sequence));
  }
  return undefined;
}

function numbersIn(folder: string): readonly number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d{6}(?:\.json)?$/.test(name))
      .sort()
      .map((name) => Number(name.slice(0, 6)));
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return [];
    throw error;
  }
}

function entryPath(folder: string, sequence: number): string {
  return join(folder, pad(Math.floor(sequence / perFolder)), `${pad(sequence % perFolder)}.json`);
}

const pad = (number: number) => String(number).padStart(6, '0');
