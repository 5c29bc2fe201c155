import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../system/files.ts';
import { absolute } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';

/**
 * A folder for the time of a build, gone afterwards: on disk and not in memory, where `/tmp` often is. Its
 * name is in lower case, because engines make the name of an image of it.
 */
export async function withWorkFolder<T>(host: Host, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(absolute(host.env['TMPDIR']) ?? '/var/tmp', `tcf-build-${crypto.randomUUID()}`);
  await makeFolder(host, path);
  try {
    return await use(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
