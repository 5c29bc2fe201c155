import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { quoted } from '../base/text.ts';
import { isMissing } from './errors.ts';

/** A chain of links longer than that is a loop, as for the kernel. */
const maxLinks = 40;

/**
 * Whether anybody but `uid` and root can change what a path leads to: the file, each folder above it, and
 * each link on the way. In a folder such as /tmp (sticky) nobody moves the files of others. What does not
 * exist is nobody's; the folders above it count.
 *
 * @param uid 0: root alone.
 * @returns a sentence that says who and where; `undefined`: nobody else.
 */
export function whoElseWrites(path: string, uid: number): string | undefined {
  let links = 0;
  const examine = (parts: readonly string[], from: string): string | undefined => {
    let at = from;
    for (const [index, part] of parts.entries()) {
      at = join(at, part);
      const stat = lstatSync(at, { throwIfNoEntry: false });
      if (stat === undefined) {
        return undefined;
      }
      if (isForeign(stat, uid)) {
        return ownedBy(at, stat);
      }
      if (stat.isSymbolicLink()) {
        links += 1;
        if (links > maxLinks) {
          return `${quoted(path)} is a loop of links`;
        }
        const target = resolve(dirname(at), readlinkSync(at));
        return examine([...partsOf(target), ...parts.slice(index + 1)], '/');
      }
      const isSticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0;
      if (isOpen(stat) && !isSticky) {
        return openTo(at);
      }
    }
    return undefined;
  };
  return examine(partsOf(resolve(path)), '/');
}

/** Whether it belongs to somebody beside `uid` and root. */
export const isForeign = (stat: Pick<Stats, 'uid'>, uid: number): boolean =>
  stat.uid !== 0 && stat.uid !== uid;

/** Whether its group or everybody may write it. */
export const isOpen = ({ mode }: Pick<Stats, 'mode'>): boolean => (mode & 0o022) !== 0;

const ownedBy = (path: string, { uid }: Stats): string => `${quoted(path)} belongs to user ${uid}`;
const openTo = (path: string): string => `others may write ${quoted(path)}`;

const partsOf = (path: string): readonly string[] => path.split('/').filter((part) => part !== '');

/** As `whoElseWrites`, for a folder with all that is in it. At most `limit` entries are looked at. */
export function whoElseWritesBelow(folder: string, uid: number, limit = 100_000): string | undefined {
  const above = whoElseWrites(folder, uid);
  if (above !== undefined) {
    return above;
  }
  const folders = [folder];
  let count = 0;
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of entriesOf(at)) {
      count += 1;
      if (count > limit) {
        return `${quoted(folder)} has more than ${limit} entries`;
      }
      const path = join(at, entry.name);
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) {
        continue;
      }
      if (isForeign(stat, uid)) {
        return ownedBy(path, stat);
      }
      if (entry.isSymbolicLink()) {
        continue;
      }
      if (isOpen(stat)) {
        return openTo(path);
      }
      if (entry.isDirectory()) {
        folders.push(path);
      }
    }
  }
  return undefined;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) {
      return [];
    }
    throw error;
  }
}

/** Whether every user can read the file: it and each folder on the way are open to all. */
export function isForEverybody(path: string): boolean {
  for (let at = resolve(path), isLast = true; ; at = dirname(at), isLast = false) {
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat === undefined) {
      return false;
    }
    const needed = isLast && !stat.isDirectory() ? 0o004 : 0o001;
    if (!stat.isSymbolicLink() && (stat.mode & needed) === 0) {
      return false;
    }
    if (at === '/') {
      return true;
    }
  }
}
