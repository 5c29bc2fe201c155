import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TcfError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { formatLayerRecord, parseLayerRecord } from '../image/layer-record.ts';
import type { LayerCache } from '../image/scan-layers.ts';
import { type Digest, hexOf } from '../oci/digest.ts';
import { touchFile } from '../system/atomic.ts';
import { isMissing, isSystemError } from '../system/errors.ts';
import { partOfExecutable } from '../system/executable.ts';
import { readPlainFile, writeUserFile } from '../system/files.ts';
import { cacheFolder, openPrivateFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';

const layerCacheLimits: Readonly<Record<'bytes' | 'layer', number>> = {
  /** Of all layers together. Image M of `bench/` takes 6 MiB. */
  bytes: 1024 * 1024 * 1024,
  /** A layer that says more is read each time. */
  layer: 128 * 1024 * 1024,
};

const recordName = /^[0-9a-f]{64,128}\.layer$/;

/**
 * What layers said before, in a folder of the user that nobody else may write to: another user's words change
 * nothing. What is damaged there counts as absent and is written again. Every trouble is told once, and costs
 * time and nothing else.
 *
 * @returns `undefined` where the folder cannot be used.
 */
export async function openLayerCache(
  host: Host,
  limit: number = layerCacheLimits.bytes,
): Promise<LayerCache | undefined> {
  const root = join(cacheFolder(host), 'layers');
  const folder = join(root, codeKey());
  const told = new Set<string>();
  const tell = async (what: string, error?: unknown): Promise<void> => {
    if (error !== undefined && !(error instanceof TcfError) && !isSystemError(error)) {
      throw error;
    }
    const why = error instanceof Error ? `: ${printable(error.message, 2000)}` : '';
    if (!told.has(what)) {
      await host.stderr.write(`tcf: warning: ${what}${why}\n`);
    }
    told.add(what);
  };
  try {
    openPrivateFolder(host, root);
    openPrivateFolder(host, folder);
  } catch (error) {
    await tell('the cache of layers is not used', error);
    return undefined;
  }
  const fileOf = (diffId: Digest): string => join(folder, `${hexOf(diffId)}.layer`);
  return {
    has: (diffId) => existsSync(fileOf(diffId)),
    async load(diffId) {
      const path = fileOf(diffId);
      if (!existsSync(path)) {
        return undefined;
      }
      try {
        const scan = parseLayerRecord(
          await readPlainFile(host, path, layerCacheLimits.layer, 'the cache of layers'),
        );
        if (scan === undefined) {
          await rm(path, { force: true });
          await tell('a layer in the cache is damaged and is read again');
          return undefined;
        }
        await touchFile(path, host.now());
        return scan;
      } catch (error) {
        await tell('the cache of layers cannot be read', error);
        return undefined;
      }
    },
    async keep(diffId, scan) {
      try {
        const record = formatLayerRecord(scan);
        if (record.length > layerCacheLimits.layer) {
          return;
        }
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeUserFile(host, fileOf(diffId), record, { mode: 0o600 });
        await evictOldest(root, limit);
      } catch (error) {
        await tell('the cache of layers is not written', error);
      }
    },
  };
}

/** What was used last stays, whatever version of the catalogers wrote it. */
async function evictOldest(root: string, limit: number): Promise<void> {
  const files = (await Promise.all((await readdir(root)).map((name) => recordsIn(join(root, name))))).flat();
  let sum = files.reduce((total, { size }) => total + size, 0);
  for (const { path, size } of files.sort((a, b) => a.at - b.at)) {
    if (sum <= limit) {
      return;
    }
    await rm(path, { force: true });
    sum -= size;
  }
}

async function recordsIn(
  folder: string,
): Promise<readonly { readonly path: string; readonly size: number; readonly at: number }[]> {
  try {
    const names = (await readdir(folder)).filter((name) => recordName.test(name));
    return await Promise.all(
      names.map(async (name) => {
        const { mtimeMs, size } = await stat(join(folder, name));
        return { path: join(folder, name), size, at: mtimeMs };
      }),
    );
  } catch (error) {
    // Another process has just evicted it.
    if (isMissing(error)) {
      return [];
    }
    throw error;
  }
}

/**
 * Names the code that decides what a layer says: a layer is read again after each change of it. The built
 * program has a file for the thread that reads layers, which names the other parts by their hashes; from
 * source it is every file of both packages.
 */
function codeKey(): string {
  const hash = createHash('sha256');
  const part = partOfExecutable('scan-thread.js');
  if (part !== undefined) {
    return hash.update(part).digest('hex').slice(0, 32);
  }
  for (const file of codeFiles()) {
    hash.update(`${file.pathname.split('/').at(-1)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 32);
}

function codeFiles(): readonly URL[] {
  const thread = new URL('./scan-thread.js', import.meta.url);
  if (existsSync(thread)) {
    return [thread];
  }
  return ['catalogers/', 'image/', 'base/'].flatMap((name) => {
    const folder = new URL(`../${name}`, import.meta.url);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') || file.endsWith('.json'))
      .sort()
      .map((file) => new URL(file, folder));
  });
}
