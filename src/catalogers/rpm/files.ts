import type { Tree } from '../contract.ts';
import { BadHeader, type Header } from './header.ts';
import { type Rpm, rpmFiles, rpmKey } from './packages.ts';

/**
 * A dev image lists 400,000 files. Beyond, ownership is not told, which must be said, and nothing else is
 * lost.
 */
export const maxPaths = 2_000_000;

/**
 * Keys of the packages that brought a path, one on a line. The directory of each path is followed where links
 * lead, its last part is not, for a package owns the link and not what it names.
 */
export function rpmOwners(
  tree: Tree,
  packages: Iterable<{ readonly rpm: Rpm; readonly header: Header }>,
): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  let count = 0;
  for (const { rpm, header } of packages) {
    const key = rpmKey(rpm);
    try {
      for (const [directory, name] of rpmFiles(header)) {
        count += 1;
        if (count > maxPaths) {
          return owners;
        }
        const path = rpmRealPath(tree, directory, name);
        const known = owners.get(path);
        if (known === undefined) {
          owners.set(path, key);
        } else if (!known.split('\n').includes(key)) {
          owners.set(path, `${known}\n${key}`);
        }
      }
    } catch (error) {
      // Its package stands in the list all the same; only what it owns is not known.
      if (!(error instanceof BadHeader)) {
        throw error;
      }
    }
  }
  return owners;
}

/** `bin/sh` is `usr/bin/sh` where `bin` is a link. */
export function rpmRealPath(tree: Tree, directory: string, name: string): string {
  const real = directory === '' ? '' : (tree.resolve(directory) ?? directory);
  return real === '' ? name : `${real}/${name}`;
}
