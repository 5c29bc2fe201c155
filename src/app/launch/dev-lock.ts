import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../../base/text.ts';
import { createFileSync, removeFileOf } from '../../system/atomic.ts';
import { isMissing } from '../../system/errors.ts';
import { cacheFolder, openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { ownIdentity, processState } from '../../system/process-identity.ts';

const pause = 500;

/**
 * Keeps everybody else from starting or removing the dev container of that name meanwhile. The lock is a file
 * with the identity of the process that holds it; that of a process which is gone counts for nothing, whoever
 * has its number now.
 */
export async function withDevLock<Result>(
  host: Host,
  name: string,
  use: () => Promise<Result>,
): Promise<Result> {
  const folder = join(cacheFolder(host), 'locks');
  openPrivateFolder(host, folder);
  const path = join(folder, name);
  const self = ownIdentity();
  let hasTold = false;
  while (!createFileSync(path, self, 0o600)) {
    const holder = holderOf(path);
    if (holder === undefined) {
      continue;
    }
    const state = processState(holder);
    if (state === 'gone') {
      removeFileOf(path, holder);
      continue;
    }
    if (!hasTold) {
      const where = state === 'elsewhere' ? ` of another container; remove ${path} if it is gone` : '';
      const pid = printable(holder.split(' ', 1)[0] ?? '', 20);
      await host.stderr.write(`tcf: waiting for process ${pid}, which is at work on ${name}${where}\n`);
    }
    hasTold = true;
    await host.sleep(pause);
  }
  try {
    return await use();
  } finally {
    if (holderOf(path) === self) {
      rmSync(path, { force: true });
    }
  }
}

/** The process that holds the lock; `undefined` where it was given back meanwhile. */
function holderOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) {
      return undefined;
    }
    throw error;
  }
}
