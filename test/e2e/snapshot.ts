import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { archive, directory, file, hardlink, pax, symlink } from '../support/tar.ts';

/** One name in a folder, as a layer has to have it. */
interface Entry {
  readonly kind: 'directory' | 'file' | 'symlink';
  readonly inode: number;
  /** Changes whenever the content does. */
  readonly state: string;
}

export type Snapshot = ReadonlyMap<string, Entry>;

/** Every name below these folders, by its path without a leading slash. */
export function snapshotOf(folders: readonly string[]): Snapshot {
  const found = new Map<string, Entry>();
  const walk = (path: string): void => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      return;
    }
    const name = path.slice(1);
    const about = { inode: stat.ino, state: `${stat.ino} ${stat.size} ${stat.mtimeMs}` };
    if (stat.isSymbolicLink()) {
      found.set(name, { ...about, kind: 'symlink', state: readlinkSync(path) });
    } else if (stat.isFile()) {
      found.set(name, { ...about, kind: 'file' });
    } else {
      found.set(name, { ...about, kind: 'directory', state: '' });
      for (const child of readdirSync(path)) {
        walk(join(path, child));
      }
    }
  };
  for (const folder of folders) {
    walk(folder);
  }
  return found;
}

/** The layer that makes `after` of `before`: what is new or changed, and a whiteout for what is gone. */
export function layerBetween(before: Snapshot, after: Snapshot): Buffer {
  const first = new Map<number, string>();
  const members: Buffer[] = [];
  for (const [path, entry] of after) {
    const known = before.get(path);
    if (known?.kind === entry.kind && known.state === entry.state) {
      continue;
    }
    members.push(memberOf(path, entry, first));
  }
  for (const path of before.keys()) {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (!after.has(path) && (after.has(parent) || !before.has(parent))) {
      members.push(named(`${parent}/.wh.${path.slice(parent.length + 1)}`, '', (name) => file(name)));
    }
  }
  return archive(...members);
}

function memberOf(path: string, { kind, inode }: Entry, first: Map<number, string>): Buffer {
  if (kind === 'directory') {
    return named(path, '', (name) => directory(name));
  }
  if (kind === 'symlink') {
    return named(path, readlinkSync(`/${path}`), symlink);
  }
  const other = first.get(inode);
  if (other !== undefined) {
    return named(path, other, hardlink);
  }
  first.set(inode, path);
  return named(path, '', (name) => file(name, readFileSync(`/${path}`)));
}

/** With a PAX header where a name is too long for the plain one. */
function named(path: string, link: string, make: (path: string, link: string) => Buffer): Buffer {
  if (path.length < 90 && link.length < 90) {
    return make(path, link);
  }
  const records = { path, ...(link === '' ? {} : { linkpath: link }) };
  return Buffer.concat([pax(records), make(path.slice(-80), link.slice(-80))]);
}
