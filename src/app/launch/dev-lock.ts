import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createFileSync } from '../../system/atomic.ts';
import { isMissing } from '../../system/errors.ts';
import { fileExists } from '../../system/files.ts';
import { cacheFolder, openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';

const pause = 500;

/**
 * Keeps everybody else from starting or removing the dev container of that name meanwhile. The lock is a file
 * with the process that holds it; that of a process which is gone counts for nothing.
 */
export async function withDevLock<Result>(
  host: Host,
  name: string,
  use: () => Promise<Result>,
): Promise<Result> {
  const folder = join(cacheFolder(host), 'locks');
  openPrivateFolder(host, folder);
  const path = join(folder, name);
  const self = basename(realpathSync('/proc/self'));
  let hasTold = false;
  while (!createFileSync(path, self, 0o600)) {
    const holder = holderOf(path);
    if (holder === undefined) {
      continue;
    }
    if (holder === self || !fileExists(host, join('/proc', holder))) {
      rmSync(path, { force: true });
      continue;
    }
    if (!hasTold) {
      await host.stderr.write(`tcf: waiting for process ${holder}, which is at work on ${name}\n`);
    }
    hasTold = true;
    await host.sleep(pause);
  }
  try {
    return await use();
  } finally {
    rmSync(path, { force: true });
  }
}

/** The process that holds the lock; `undefined` where it was given back meanwhile. */
function holderOf(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^\d{1,10}$/.test(text) ? text : '0';
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}
