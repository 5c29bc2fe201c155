import { inspect, isDeepStrictEqual } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { mutant } from './mutate.ts';
import { pick, randomOf } from './random.ts';
import { type End, endOf } from './target.ts';
import { targets } from './targets/index.ts';

export interface Job {
  readonly seed: number;
  /** Inputs for each target, from `first` on. */
  readonly runs: number;
  readonly first: number;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** Their places in the table. */
  readonly targets: readonly number[];
}

export interface Complaint {
  readonly target: number;
  readonly run: number;
  readonly message: string;
}

export interface Found {
  readonly target: number;
  readonly runs: number;
  readonly refused: number;
  readonly slowest: { readonly ms: number; readonly run: number };
  readonly faults: readonly Complaint[];
  readonly differences: readonly Complaint[];
}

/** What the watchdog sees while the other thread is busy. */
export interface Progress {
  read(): { readonly target: number; readonly run: number; readonly since: number };
  /** `since`: 0 between two inputs. */
  write(target: number, run: number, since: number): void;
}

export function progressOf(shared: SharedArrayBuffer): Progress {
  const numbers = new Float64Array(shared);
  return {
    read: () => ({ target: numbers[0] ?? 0, run: numbers[1] ?? 0, since: numbers[2] ?? 0 }),
    write: (target, run, since) => numbers.set([target, run, since]),
  };
}

/** Inputs of one target before the next has its turn, so that a time limit is fair. */
const batch = 50;
/** One kind of fault is shown this often. */
const maxShown = 3;

class Tally {
  readonly #target: number;
  #runs = 0;
  #refused = 0;
  #slowest = { ms: 0, run: 0 };
  readonly #seen = new Map<string, number>();
  #faults: Complaint[] = [];
  #differences: Complaint[] = [];

  constructor(target: number) {
    this.#target = target;
  }

  add(run: number, ms: number, first: End, second: End): void {
    this.#runs += 1;
    if (first.kind === 'refused') {
      this.#refused += 1;
    }
    if (ms > this.#slowest.ms) {
      this.#slowest = { ms, run };
    }
    if (first.kind === 'fault') {
      this.#complain(this.#faults, run, textOf(first.error));
    } else if (!isDeepStrictEqual(first, second)) {
      this.#complain(this.#differences, run, `two answers:\n${inspect(first)}\n${inspect(second)}`);
    }
  }

  #complain(list: Complaint[], run: number, message: string): void {
    const kind = message.replaceAll(/\d+/g, '0').slice(0, 200);
    const times = (this.#seen.get(kind) ?? 0) + 1;
    this.#seen.set(kind, times);
    if (times <= maxShown) {
      list.push({ target: this.#target, run, message });
    }
  }

  /** What is new since the last time. */
  take(): Found {
    const found: Found = {
      target: this.#target,
      runs: this.#runs,
      refused: this.#refused,
      slowest: this.#slowest,
      faults: this.#faults,
      differences: this.#differences,
    };
    this.#runs = 0;
    this.#refused = 0;
    this.#faults = [];
    this.#differences = [];
    return found;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split('\n').slice(0, 8).join('\n')
    : String(error);
}

/** The same input for the same seed, target and run, whatever ran before. */
function inputOf(target: number, run: number, seed: number) {
  const { seeds } = targets[target] ?? { seeds: [] };
  const random = randomOf(
    Math.imul(seed, 0x9e3779b1) ^ Math.imul(target + 1, 0x85ebca6b) ^ Math.imul(run, 0xc2b2ae35),
  );
  const chosen = pick(random, seeds);
  return {
    chosen,
    bytes: mutant(
      chosen.bytes,
      seeds.map(({ bytes }) => bytes),
      random,
    ),
  };
}

export async function work(job: Job, progress: Progress, report: (found: Found) => void): Promise<void> {
  const tallies = new Map<number, Tally>();
  for (let from = job.first; from < job.first + job.runs; from += batch) {
    for (const target of job.targets) {
      const tally = tallies.get(target) ?? new Tally(target);
      tallies.set(target, tally);
      for (let run = from; run < Math.min(from + batch, job.first + job.runs); run += 1) {
        if (Date.now() > job.until) {
          break;
        }
        const { bytes, chosen } = inputOf(target, run, job.seed);
        progress.write(target, run, Date.now());
        const begun = performance.now();
        const first = await endOf(chosen, Buffer.from(bytes));
        const ms = performance.now() - begun;
        const second = await endOf(chosen, Buffer.from(bytes));
        tally.add(run, ms, first, second);
      }
      progress.write(target, from, 0);
      report(tally.take());
    }
    if (Date.now() > job.until) {
      return;
    }
  }
}

if (parentPort !== null) {
  const { job, shared } = workerData as { readonly job: Job; readonly shared: SharedArrayBuffer };
  await work(job, progressOf(shared), (found) => parentPort?.postMessage(found));
}
