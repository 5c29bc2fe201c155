import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cannotTell } from '../../src/base/error.ts';
import { type ChainEnd, chainEnd, formatDecision } from '../../src/report/decision-entry.ts';

const hour = 3_600_000;
const pad = (number: number) => String(number).padStart(6, '0');

/** Where the entry with this number lies below the folder of the log. */
export function entryFile(folder: string, number: number): string {
  return join(folder, pad(Math.floor(number / 1000)), `${pad(number % 1000)}.json`);
}

/** A log of the images i0, i1, ...: one decision an hour, the last one an hour before `now`. */
export function fillLog(folder: string, count: number, now: Date): void {
  let last: ChainEnd | undefined;
  for (let number = 0; number < count; number += 1) {
    const at = new Date(Number(now) - (count - number) * hour);
    const facts = { asked: `i${number}`, at, tcf: '0', uid: 0, verb: 'verify', policies: [] };
    const made = formatDecision({ ...facts, error: cannotTell('a.b', 'why') }, last);
    const path = entryFile(folder, number);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, made, { mode: 0o600 });
    last = chainEnd(number, made);
  }
}
