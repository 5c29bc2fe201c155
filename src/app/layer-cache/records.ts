import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TcfError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { touchFile } from '../../system/atomic.ts';
import { isMissing, isSystemError } from '../../system/errors.ts';
import { readPlainFile, writeUserFile } from '../../system/files.ts';
import { cacheFolder, openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';

/** A folder of records in the user's cache. */
export interface RecordKind {
  /** Name of the folder, and the ending of its files. */
  readonly name: 'layer' | 'sbom';
  /** The code that decides what a record says: each version of it has a folder of its own. */
  readonly code: string;
  /** Bytes of all records together. */
  readonly limit: number;
  /** Bytes; a larger record is not kept. */
  readonly most: number;
}

/**
 * Records that cost time where they are missing and nothing else: every trouble with them is told once, and
 * none is an error.
 */
export interface Records {
  has(key: string): boolean;
  /** What `read` makes of the record; `undefined` where there is none, or one that `read` does not take. */
  load<T>(key: string, read: (bytes: Uint8Array) => T | undefined): Promise<T | undefined>;
  keep(key: string, bytes: Uint8Array): Promise<void>;
}

type Trouble = 'damaged' | 'unreadable' | 'unusable' | 'unwritable';

const troubles: Readonly<Record<Trouble, string>> = {
  damaged: 'has a record that is damaged, which is made again',
  unreadable: 'cannot be read',
  unusable: 'is not used',
  unwritable: 'is not written',
};

/** What was told in this run, by its environment: the same trouble with records of two kinds is one. */
const told: WeakMap<Host['env'], Set<string>> = new WeakMap();

/** Whether a trouble was not told before in this run. */
export function isNews({ env }: Host, trouble: string): boolean {
  const before = told.get(env) ?? new Set();
  told.set(env, before);
  const isNew = !before.has(trouble);
  before.add(trouble);
  return isNew;
}

/**
 * Opens a folder of the user that nobody else may write to: another user's words change nothing. What is
 * damaged there counts as absent and is written again.
 *
 * @returns `undefined` where the folder cannot be used.
 */
export async function openRecords(host: Host, kind: RecordKind): Promise<Records | undefined> {
  const root = join(cacheFolder(host), `${kind.name}s`);
  const folder = join(root, kind.code);
  const tell = async (trouble: Trouble, error?: unknown): Promise<void> => {
    if (error !== undefined && !(error instanceof TcfError) && !isSystemError(error)) {
      throw error;
    }
    const why = error instanceof Error ? `: ${printable(error.message, 2000)}` : '';
    if (isNews(host, trouble)) {
      await host.stderr.write(`tcf: warning: the cache of ${kind.name}s ${troubles[trouble]}${why}\n`);
    }
  };
  try {
    openPrivateFolder(host, root);
    openPrivateFolder(host, folder);
  } catch (error) {
    await tell('unusable', error);
    return undefined;
  }
  const fileOf = (key: string): string => join(folder, `${key}.${kind.name}`);
  return {
    has: (key) => existsSync(fileOf(key)),
    async load(key, read) {
      const path = fileOf(key);
      if (!existsSync(path)) {
        return undefined;
      }
      try {
        const found = read(await readPlainFile(host, path, kind.most, `the cache of ${kind.name}s`));
        if (found === undefined) {
          await rm(path, { force: true });
          await tell('damaged');
          return undefined;
        }
        await touchFile(path, host.now());
        return found;
      } catch (error) {
        await tell('unreadable', error);
        return undefined;
      }
    },
    async keep(key, bytes) {
      try {
        if (bytes.length > kind.most) {
          return;
        }
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeUserFile(host, fileOf(key), bytes, { mode: 0o600 });
        await evictOldest(root, kind);
      } catch (error) {
        await tell('unwritable', error);
      }
    },
  };
}

/** What was used last stays, whatever version of the code wrote it. */
async function evictOldest(root: string, { limit, name }: RecordKind): Promise<void> {
  const folders = await readdir(root);
  const files = (await Promise.all(folders.map((folder) => recordsIn(join(root, folder), name)))).flat();
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
  kind: RecordKind['name'],
): Promise<readonly { readonly path: string; readonly size: number; readonly at: number }[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64,128}\./.test(name));
    return await Promise.all(
      names
        .filter((name) => name.endsWith(`.${kind}`))
        .map(async (name) => {
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
