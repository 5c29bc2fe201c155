import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TcfError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { emptyMemory, formatMemory, type Memory, memoryLimit, parseMemory } from '../registry/memory.ts';
import { fileExists, isSystemError, readPlainFile, writeUserFile } from '../system/files.ts';
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
 * What was found beside an image when it was last allowed, at most a day ago. Anything that is wrong with it, a date in the future
 * included (a clock that was set back must not make it last for ever), means that nothing is remembered.
 */
export async function recall(host: Host, repository: string, digest: Digest): Promise<Memory> {
  const path = fileOf(host, repository, digest);
  try {
    if (!fileExists(host, path)) return emptyMemory();
    openPrivateFolder(host, evidenceFolder(host));
    const memory = parseMemory(await readPlainFile(host, path, 2 * memoryLimit, 'the cache'), path);
    const age = host.now().getTime() - memory.at.getTime();
    return age >= 0 && age < maxAge ? memory : emptyMemory();
  } catch (error) {
    if (!(error instanceof TcfError) && !isSystemError(error)) throw error;
    await host.stderr.write(`tcf: warning: the cache is not used: ${printable(error.message, 2000)}\n`);
    return emptyMemory();
  }
}

/** Keeps the evidence of an image that was allowed. A cache that cannot be written costs time and nothing else. */
export async function keep(host: Host, repository: string, digest: Digest, memory: Memory): Promise<void> {
  if (memory.asked === 0 || memory.size > memoryLimit) return;
  try {
    openPrivateFolder(host, evidenceFolder(host));
    const text = formatMemory(memory, host.now());
    await writeUserFile(host, fileOf(host, repository, digest), text, { mode: 0o600 });
    await evict(evidenceFolder(host));
  } catch (error) {
    if (!(error instanceof TcfError) && !isSystemError(error)) throw error;
    await host.stderr.write(`tcf: warning: the cache is not written: ${printable(error.message, 2000)}\n`);
  }
}

/** What is no longer true of an image must not be asked again. */
export async function forget(host: Host, repository: string, digest: Digest): Promise<void> {
  await rm(fileOf(host, repository, digest), { force: true }).catch(() => {});
}

async function evict(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  if (names.length <= maxImages) return;
  const files = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const oldest = files.sort((a, b) => a.at - b.at).slice(0, names.length - maxImages);
  for (const { name } of oldest) await rm(join(folder, name), { force: true });
}
