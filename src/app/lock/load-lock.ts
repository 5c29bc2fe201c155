import { dirname, join, resolve } from 'node:path';
import { decodeUtf8 } from '../../base/bytes.ts';
import { askedWrongly } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { Lock } from './lock.ts';
import { maxLockSize, parseLock } from './parse-lock.ts';

/** A lock and where it stands. */
export interface OpenLock {
  readonly lock: Lock;
  /** Folder of the image: its Containerfile and what that copies stand there. */
  readonly folder: string;
  readonly file: string;
  /** What the file says. */
  readonly text: string;
  /** Of the file's bytes. */
  readonly digest: Digest;
  /** The lock of the image below. */
  readonly base?: OpenLock | undefined;
}

/** Bases of bases; a chain of four is the longest here. */
const maxDepth = 16;

/**
 * Opens the lock of an image by the name of one of `images/` or by its folder, and those of the images below
 * it.
 *
 * @throws TcfError `lock.missing`, `lock.base`, `policy.malformed`, `file.unreadable` (exit 3).
 */
export async function openLock(host: Host, name: string): Promise<OpenLock> {
  return await open(host, folderOf(host, name), 0);
}

/** `cpu` is `images/cpu` of the project or the one that tcf brings along; a path is a path. */
function folderOf(host: Host, name: string): string {
  if (name.includes('/') || name === '.') {
    return resolve(host.cwd, name);
  }
  const places = [
    resolve(host.cwd, 'images', name),
    resolve(host.cwd, name),
    ...ownImages(host).map((own) => join(own, name)),
  ];
  const found = places.find((place) => fileExists(host, join(place, 'lock.yaml')));
  if (found !== undefined) {
    return found;
  }
  throw askedWrongly('lock.missing', `there is no image ${quoted(name)} with a lock`, {
    hint: `name one of base, cpu, cuda, rocm, or a folder that holds a lock.yaml; looked in ${places.map(quoted).join(', ')}`,
  });
}

/**
 * Beside the folder of the program: of the sources, of the package; or where a system keeps what programs
 * share.
 */
function ownImages({ self }: Host): readonly string[] {
  const folder = dirname(self.at(-1) ?? '/');
  return [resolve(folder, '../images'), resolve(folder, '../share/tcf/images')];
}

async function open(host: Host, folder: string, depth: number): Promise<OpenLock> {
  const file = join(folder, 'lock.yaml');
  if (!fileExists(host, file)) {
    throw askedWrongly('lock.missing', `there is no lock ${quoted(file)}`, {
      hint: 'name a folder that holds a lock.yaml',
    });
  }
  if (depth > maxDepth) {
    throw askedWrongly('lock.base', `${quoted(file)} is built on itself`, { hint: 'name another base' });
  }
  const bytes = await readPlainFile(host, file, maxLockSize, 'the lock');
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    throw askedWrongly('file.unreadable', `the lock ${quoted(file)} is not UTF-8`);
  }
  const lock = parseLock(text, file);
  const base =
    'lock' in lock.base ? await open(host, resolve(dirname(file), lock.base.lock), depth + 1) : undefined;
  return { lock, folder, file, text, digest: digestOf(bytes), base };
}
