import type { Tree } from './contract.ts';

/** uv keeps unpacked wheels, builds and environments in its cache, wherever that lies; pip's is below `.cache`. */
const cache = /(?:^|\/)(?:\.cache|(?:archive|builds|environments|sdists|wheels)-v\d+)(?:\/|$)/;

/** Whether a directory belongs to a cache: what lies there is not installed. */
export function isCache(tree: Tree, directory: string): boolean {
  if (cache.test(directory)) return true;
  const conda = /^(.*)\/pkgs\//.exec(`${directory}/`)?.[1];
  return conda !== undefined && tree.exists(`${conda}/conda-meta`);
}

/**
 * The files that are no copies in the cache of a package manager. uv hard-links what it installs from there, so one file has a name here and
 * a name there, and only the first says where it is used. Triton's own cache is another matter: checkouts are built with what lies in it.
 */
export function installed<T extends { readonly path: string }>(
  tree: Tree,
  files: readonly T[],
): readonly T[] {
  return files.filter(({ path }) => {
    const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    return /(?:^|\/)\.triton\//.test(path) || !isCache(tree, directory);
  });
}
