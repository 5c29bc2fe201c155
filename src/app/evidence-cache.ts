import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TcfError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import {
  emptyStoreCache,
  formatStoreCache,
  parseStoreCache,
  type StoreCache,
  storeCacheLimit,
} from '../registry/store-cache.ts';
import { isSystemError } from '../system/errors.ts';
import { fileExists, readPlainFile, writeUserFile } from '../system/files.ts';
import { cacheFolder, openPrivateFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';

/** So long may something newer in the registry stay unseen by those who ask the cache. */
const maxAge = 24 * 60 * 60 * 1000;
/** Images whose evidence is kept; the ones that were written last stay. */
const maxImages = 200;

export const evidenceFolder = (host: Host): string => join(cacheFolder(host), 'evidence');

function fileOf(host: Host, repository: string, digest: Digest): string {
  const name = createHash('sha256').update(`${repository}@${digest}`).digest('hex');
  return join(evidenceFolder(host), `${name}.json`);
}

/**
 * What was found beside an image when it was last allowed, at most a day ago. Anything that is wrong with it,
 * a date in the future included (a clock that was set back must not make it last for ever), means that the
 * cache is empty.
 */
export async function loadEvidence(host: Host, repository: string, digest: Digest): Promise<StoreCache> {
  const path = fileOf(host, repository, digest);
  try {
    if (!fileExists(host, path)) {
      return emptyStoreCache();
    }
    openPrivateFolder(host, evidenceFolder(host));
    const cache = parseStoreCache(await readPlainFile(host, path, 2 * storeCacheLimit, 'the cache'), path);
    const age = host.now().getTime() - cache.at.getTime();
    return age >= 0 && age < maxAge ? cache : emptyStoreCache();
  } catch (error) {
    if (!(error instanceof TcfError) && !isSystemError(error)) {
      throw error;
    }
    await host.stderr.write(`tcf: warning: the cache is not used: ${printable(error.message, 2000)}\n`);
    return emptyStoreCache();
  }
}

/**
 * Keeps the evidence of an image that was allowed. A cache that cannot be written costs time and nothing
 * else.
 */
export async function keepEvidence(
  host: Host,
  repository: string,
  digest: Digest,
  cache: StoreCache,
): Promise<void> {
  if (cache.asked === 0 || cache.size > storeCacheLimit) {
    return;
  }
  try {
    openPrivateFolder(host, evidenceFolder(host));
    const text = formatStoreCache(cache, host.now());
    await writeUserFile(host, fileOf(host, repository, digest), text, { mode: 0o600 });
    await evictOldest(evidenceFolder(host));
  } catch (error) {
    if (!(error instanceof TcfError) && !isSystemError(error)) {
      throw error;
    }
    await host.stderr.write(`tcf: warning: the cache is not written: ${printable(error.message, 2000)}\n`);
  }
}

/** What is no longer true of an image must not be asked again. */
export async function evictEvidence(host: Host, repository: string, digest: Digest): Promise<void> {
  await rm(fileOf(host, repository, digest), { force: true }).catch(() => {});
}

async function evictOldest(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  if (names.length <= maxImages) {
    return;
  }
  const files = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const oldest = files.sort((a, b) => a.at - b.at).slice(0, names.length - maxImages);
  for (const { name } of oldest) {
    await rm(join(folder, name), { force: true });
  }
}
