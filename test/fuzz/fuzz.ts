import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { targets } from './targets/index.ts';
import { type Found, type Job, type Progress, progressOf } from './worker.ts';

/**
 * Changes real documents and lets every reader of foreign bytes read them, each twice: `npm run test:fuzz`.
 * What is looked for: errors that are not TcfError, two answers to one input, inputs that take for ever,
 * memory without end.
 *
 *     npm run test:fuzz -- --runs 1000000            so many inputs over all readers
 *     npm run test:fuzz -- --seconds 120 --seed 1    what CI does
 *     npm run test:fuzz -- --only parseBundle --at 4711    one input again, to look at
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    at: { type: 'string' },
  },
});

/**
 * Milliseconds after which an input is one that takes for ever; the slowest that ends takes a hundredth of
 * it.
 */
const longest = 20_000;
/** Hangs after which a reader is left alone. */
const maxHangs = 3;

const chosen = targets
  .map(({ name }, index) => ({ name, index }))
  .filter(({ name }) => name.includes(values.only));
const job: Job = {
  seed: Number(values.seed),
  runs: values.at === undefined ? Math.ceil(Number(values.runs) / Math.max(1, chosen.length)) : 1,
  first: Number(values.at ?? 0),
  until: Date.now() + Number(values.seconds) * 1000,
  targets: chosen.map(({ index }) => index),
};
const shared = new SharedArrayBuffer(64);
const progress: Progress = progressOf(shared);
const found = new Map<number, Found>();
const hangs: string[] = [];

/** Runs until the job is done or an input does not end; then the rest of the job is left. */
async function runOnce(left: Job): Promise<Job | undefined> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { job: left, shared } });
  let isDone = false;
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (one: Found) => found.set(one.target, added(found.get(one.target), one)));
    worker.on('error', reject);
    worker.on('exit', () => {
      isDone = true;
      resolve();
    });
  });
  ended.catch(() => undefined);
  while (!isDone) {
    await Promise.race([ended, sleep(500)]);
    const { run, since, target } = progress.read();
    if (isDone || since === 0 || Date.now() - since < longest) {
      continue;
    }
    await worker.terminate();
    hangs.push(`${targets[target]?.name} --at ${run}`);
    const name = targets[target]?.name ?? '';
    const isLost = hangs.filter((hang) => hang.startsWith(`${name} --at`)).length >= maxHangs;
    return {
      ...left,
      first: run + 1,
      runs: left.runs - (run + 1 - left.first),
      targets: isLost ? left.targets.filter((index) => index !== target) : left.targets,
    };
  }
  await ended;
  return undefined;
}

function added(before: Found | undefined, now: Found): Found {
  if (before === undefined) {
    return now;
  }
  return {
    target: now.target,
    runs: before.runs + now.runs,
    refused: before.refused + now.refused,
    slowest: now.slowest.ms > before.slowest.ms ? now.slowest : before.slowest,
    faults: [...before.faults, ...now.faults],
    differences: [...before.differences, ...now.differences],
  };
}

const begun = Date.now();
for (let left: Job | undefined = job; left !== undefined && left.runs > 0; ) {
  left = await runOnce(left);
}

const all = [...found.values()];
const sum = (of: (one: Found) => number) => all.reduce((total, one) => total + of(one), 0);
const faults = all.flatMap((one) => one.faults);
const differences = all.flatMap((one) => one.differences);
const nameOf = ({ target }: { readonly target: number }) => targets[target]?.name ?? '';
for (const one of all.toSorted((a, b) => b.slowest.ms - a.slowest.ms)) {
  const refused = `${Math.round((100 * one.refused) / Math.max(1, one.runs))} % refused`;
  const slowest = `slowest ${one.slowest.ms.toFixed(1)} ms (--at ${one.slowest.run})`;
  process.stdout.write(`${String(one.runs).padStart(8)}  ${nameOf(one)}: ${refused}, ${slowest}\n`);
}
for (const { message, run, target } of [...faults, ...differences]) {
  process.stdout.write(`\n${targets[target]?.name} --at ${run}: ${message}\n`);
}
for (const hang of hangs) {
  process.stdout.write(`\nno end: ${hang}\n`);
}
const [slowest] = all.toSorted((a, b) => b.slowest.ms - a.slowest.ms);
const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
process.stdout.write(
  `\n${sum(({ runs }) => runs)} inputs, each read twice, over ${all.length} readers in ` +
    `${Math.round((Date.now() - begun) / 1000)} s, seed ${values.seed}; slowest ${slowest?.slowest.ms.toFixed(0)} ms ` +
    `(${slowest === undefined ? '' : nameOf(slowest)}), peak ${megabytes} MiB\n` +
    `${faults.length} foreign exceptions, ${differences.length} differences, ${hangs.length} hangs\n`,
);
const isFine = faults.length + differences.length + hangs.length === 0 && sum(({ runs }) => runs) > 0;
// The last line is what .ci/run counts.
process.stdout.write(
  isFine
    ? `${all.length} passed, 0 failed\n`
    : `0 passed, ${faults.length + differences.length + hangs.length || 1} failed\n`,
);
process.exitCode = isFine ? 0 : 1;
