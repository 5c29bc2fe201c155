import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';

/*
 * A single executable (toolchain/executable.ts) has the parts of the built program in it, in place of files
 * beside it.
 */

/** The main file of the executable, which starts a thread as it starts the program. */
const start = 'start.js';

/** The code of a part; `undefined` where the program consists of files. */
export function partOfExecutable(name: string): string | undefined {
  return isSea() ? getAsset(name, 'utf8') : undefined;
}

/**
 * A thread that begins in the part `name` of the executable, or in the file `beside` where tcf is no
 * executable.
 */
export function startThreadOf(name: string, beside: () => URL): Worker {
  return isSea()
    ? new Worker(getAsset(start, 'utf8'), { eval: true, workerData: name })
    : new Worker(beside());
}
