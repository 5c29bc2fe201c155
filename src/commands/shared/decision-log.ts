import { link, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { cannotTell, TcfError } from '../../base/error.ts';
import { jsonLimits } from '../../base/json.ts';
import { plural, printable, quoted } from '../../base/text.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Verdict } from '../../policy/decide.ts';
import type { Policy } from '../../policy/document.ts';
import { brokenLink, type ChainEnd, chainEnd, formatDecision } from '../../report/decision-entry.ts';
import { version } from '../../version.ts';
import type { Host } from '../host.ts';
import { isSystemError, readPlainFile } from './files.ts';
import { openPrivateFolder, stateFolder } from './private-folder.ts';

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
 * Adds a decision to the log. Each entry is a file that appears whole or not at all (`link`), under the next number, so neither a kill nor
 * ten writers at once leave half an entry or the same number twice. A log that cannot be written is a warning: it must not be a
 * way to stop a machine, nor does it make an image good.
 */
export async function logDecision(host: Host, decided: Decided): Promise<void> {
  const { name, policies, verb, ...outcome } = decided;
  const facts = { asked: name, at: host.now(), tcf: version, uid: host.uid, verb, policies, ...outcome };
  const folder = logFolder(host);
  try {
    await openPrivateFolder(host, folder);
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const last = await lastEntry(host);
      const text = formatDecision(facts, last);
      if (await addEntry(folder, last === undefined ? 0 : last.sequence + 1, text)) return;
    }
    throw cannotTell('log.busy', `${quoted(folder)} is being written by too many at once`);
  } catch (error) {
    if (!(error instanceof TcfError) && !isSystemError(error)) throw error;
    await host.stderr.write(
      `tcf: warning: this decision is not in the log: ${printable(error.message, 2000)}\n`,
    );
  }
}

async function addEntry(folder: string, sequence: number, text: string): Promise<boolean> {
  const path = entryPath(folder, sequence);
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${crypto.randomUUID()}.tmp`);
  try {
    await writeFile(temporary, text, { flag: 'wx', mode: 0o600, flush: true });
    await link(temporary, path);
    return true;
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The text of an entry. @throws TcfError `log.missing`, `log.malformed` (exit 2). */
export async function readEntry(host: Host, sequence: number): Promise<string> {
  const path = entryPath(logFolder(host), sequence);
  const text = decodeUtf8(await readPlainFile(host, path, jsonLimits.small.maxBytes, 'the log entry'));
  if (text === undefined) throw cannotTell('log.malformed', `${quoted(path)} is not UTF-8`);
  return text;
}

/** Numbers of all entries, ascending. A log that nobody has begun is empty. */
export async function entryNumbers(host: Host): Promise<readonly number[]> {
  const folder = logFolder(host);
  const numbers: number[] = [];
  for (const block of await numbersIn(folder)) {
    const within = await numbersIn(join(folder, pad(block)));
    numbers.push(...within.map((number) => block * perFolder + number));
  }
  return numbers;
}

export type LogCheck =
  | { readonly count: number; readonly end?: ChainEnd; readonly hasWanted: boolean }
  /** Where the chain breaks, and how. */
  | { readonly broken: string };

/** Follows the chain from its beginning. `wanted` is a digest that somebody wrote down, and that has to be in it. @throws TcfError (exit 2) for an entry that is none. */
export async function checkLog(host: Host, wanted?: Digest): Promise<LogCheck> {
  let end: ChainEnd | undefined;
  let hasWanted = wanted === undefined;
  let count = 0;
  for (const number of await entryNumbers(host)) {
    const text = await readEntry(host, number);
    const expected = end === undefined ? 0 : end.sequence + 1;
    const gone = number - expected;
    const wrong =
      gone === 0
        ? brokenLink(text, end, `entry ${number}`)
        : `${plural(gone, 'entry', 'entries')} before it ${gone === 1 ? 'is' : 'are'} gone`;
    if (wrong !== undefined) return { broken: `entry ${number}: ${wrong}` };
    end = chainEnd(number, text);
    hasWanted ||= end.digest === wanted;
    count += 1;
  }
  return { count, hasWanted, ...(end === undefined ? {} : { end }) };
}

async function lastEntry(host: Host): Promise<ChainEnd | undefined> {
  const folder = logFolder(host);
  // A folder is made before its first entry, so the last one may still be empty.
  for (const block of (await numbersIn(folder)).toReversed()) {
    const last = (await numbersIn(join(folder, pad(block)))).at(-1);
    if (last === undefined) continue;
    const sequence = block * perFolder + last;
    return chainEnd(sequence, await readEntry(host, sequence));
  }
  return undefined;
}

async function numbersIn(folder: string): Promise<readonly number[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /^\d{6}(?:\.json)?$/.test(name))
      .map((name) => Number(name.slice(0, 6)))
      .sort((a, b) => a - b);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return [];
    throw error;
  }
}

function entryPath(folder: string, sequence: number): string {
  return join(folder, pad(Math.floor(sequence / perFolder)), `${pad(sequence % perFolder)}.json`);
}

const pad = (number: number) => String(number).padStart(6, '0');
