import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { decodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { plural, printable, quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Verdict } from '../policy/decide.ts';
import type { Policy } from '../policy/document.ts';
import { type ChainEnd, chainEnd, formatDecision } from '../report/decision-entry.ts';
import { Chain } from '../report/log-chain.ts';
import { type DecisionLogEntry, type PruningEntry, parseLogEntry } from '../report/pruning-entry.ts';
import { createFileSync } from '../system/atomic.ts';
import { isSystemError } from '../system/errors.ts';
import { readPlainFile } from '../system/files.ts';
import { openPrivateFolder, stateFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';
import { version } from '../version.ts';

/** Entries in one folder. */
export const perFolder = 1000;
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
  try {
    const latest = await lastEntryTime(host);
    const facts = {
      asked: name,
      at: host.now(),
      latest,
      tcf: version,
      uid: host.uid,
      verb,
      policies,
      ...outcome,
    };
    await append(host, (last) => formatDecision(facts, last));
  } catch (error) {
    if (!(error instanceof TcfError) && !isSystemError(error)) {
      throw error;
    }
    await host.stderr.write(
      `tcf: warning: this decision is not in the log: ${printable(error.message, 2000)}\n`,
    );
  }
}

/**
 * Adds the entry that `make` makes to follow the last one, and says which it is. @throws TcfError
 * `folder.shared`, `log.busy` (exit 2).
 */
export async function append(host: Host, make: (last: ChainEnd | undefined) => string): Promise<ChainEnd> {
  const folder = logFolder(host);
  openPrivateFolder(host, folder);
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const last = await lastEntry(host);
    const text = make(last);
    const sequence = last === undefined ? 0 : last.sequence + 1;
    if (addEntry(folder, sequence, text)) {
      return chainEnd(sequence, text);
    }
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

/** An entry as it is on the disk, and what it says. */
export interface ReadEntry {
  readonly text: string;
  readonly logged: DecisionLogEntry;
}

/**
 * @throws TcfError `log.unreadable` (exit 2) for an entry of which no part can be trusted, with the way out.
 */
export async function readEntry(host: Host, sequence: number): Promise<ReadEntry> {
  try {
    const text = decodeUtf8(await readBytes(host, sequence));
    if (text === undefined) {
      throw cannotTell('log.malformed', 'it is not UTF-8');
    }
    return { text, logged: parseLogEntry(text, `entry ${sequence}`) };
  } catch (error) {
    if (error instanceof TcfError) {
      throw unreadable(`entry ${sequence}`, error);
    }
    throw error;
  }
}

export function readBytes(host: Host, sequence: number): Promise<Uint8Array> {
  const path = entryPath(logFolder(host), sequence);
  return readPlainFile(host, path, jsonLimits.small.maxBytes, 'the log entry');
}

function unreadable(what: string, cause: Error): TcfError {
  return cannotTell('log.unreadable', `${what} of the log cannot be read: ${cause.message}`, {
    hint: 'find out who changed it; tcf log archive keeps this log under another name and begins a new one',
    cause,
  });
}

/**
 * The latest time that the last entry knows; `undefined` where there is none, or none that can be read. It
 * bounds the clock of today from below, and a log that is damaged must not stop a machine.
 */
export async function lastEntryTime(host: Host): Promise<Date | undefined> {
  try {
    const last = lastSequence(host);
    if (last === undefined) {
      return undefined;
    }
    const { entry } = (await readEntry(host, last)).logged;
    return new Date(entry.latest ?? entry.at);
  } catch (error) {
    if (error instanceof TcfError || isSystemError(error)) {
      return undefined;
    }
    throw error;
  }
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
 * @throws TcfError `log.unreadable` (exit 2).
 */
export async function checkLog(host: Host, wanted?: Digest): Promise<LogCheck> {
  const chain = new Chain();
  let count = 0;
  for (const number of entryNumbers(host)) {
    const { logged, text } = await readEntry(host, number);
    const missing = chain.end === undefined ? 0 : number - chain.end.sequence - 1;
    const wrong = missing === 0 ? chain.add(chainEnd(number, text), logged) : gone(missing);
    if (wrong !== undefined) {
      return { broken: `entry ${number}: ${wrong}` };
    }
    if (logged.kind === 'decision') {
      count += 1;
    }
  }
  const first = chain.unexplained();
  if (first !== undefined) {
    return { broken: `entry ${first}: ${gone(first)}` };
  }
  const { end, pruning } = chain;
  return compact({
    count,
    hasWanted: wanted === undefined || chain.has(wanted),
    end,
    pruning,
  });
}

const gone = (count: number) =>
  `${plural(count, 'entry', 'entries')} before it ${count === 1 ? 'is' : 'are'} gone`;

async function lastEntry(host: Host): Promise<ChainEnd | undefined> {
  const sequence = lastSequence(host);
  // Also behind an entry that nobody can read the log goes on.
  return sequence === undefined ? undefined : chainEnd(sequence, await readBytes(host, sequence));
}

function lastSequence(host: Host): number | undefined {
  const folder = logFolder(host);
  // A folder is made before its first entry, so the last one may still be empty.
  for (const block of numbersIn(folder).toReversed()) {
    const last = numbersIn(join(folder, pad(block))).at(-1);
    if (last !== undefined) {
      return block * perFolder + last;
    }
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
    if (!isSystemError(error)) {
      throw error;
    }
    if (error.code === 'ENOENT') {
      return [];
    }
    throw unreadable(quoted(folder), error);
  }
}

export function entryPath(folder: string, sequence: number): string {
  return join(folder, pad(Math.floor(sequence / perFolder)), `${pad(sequence % perFolder)}.json`);
}

const pad = (number: number) => String(number).padStart(6, '0');
