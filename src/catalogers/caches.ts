import { byCodeUnit } from '../base/text.ts';
import type { Skipped, Tree } from './contract.ts';

/**
 * uv keeps unpacked wheels, build environments and sources in folders of these names, wherever its cache
 * lies.
 */
const uvFolder = /^((?:.*\/)?(archive|builds|sdists|wheels)-v\d{1,4})(?:\/|$)/s;
const condaFolders = /(?:^|\/)pkgs(?=\/)/g;

/**
 * The package cache that a directory belongs to: what lies there is not installed. A name alone makes no
 * cache: a virtual or conda environment is one wherever it lies, and so is a prefix that PATH or VIRTUAL_ENV
 * of the image names. Only what uv builds in is none.
 */
export function cacheAround(tree: Tree, directory: string): string | undefined {
  const [, root, kind] = uvFolder.exec(directory) ?? [];
  const cache = root ?? condaCache(tree, directory);
  if (cache === undefined) {
    return undefined;
  }
  const named = prefixesIn(tree.env);
  for (let at = directory; at.length > cache.length; at = parentOf(at)) {
    if (named.has(at)) {
      return undefined;
    }
    if (kind !== 'builds' && (tree.exists(`${at}/pyvenv.cfg`) || tree.exists(`${at}/conda-meta`))) {
      return undefined;
    }
  }
  return cache;
}

/**
 * `pkgs` holds one folder for each unpacked package of conda, with the package's own description in
 * `info/index.json`.
 */
function condaCache(tree: Tree, directory: string): string | undefined {
  for (const {
    index,
    0: { length },
  } of directory.matchAll(condaFolders)) {
    const root = directory.slice(0, index + length);
    const entry = directory.slice(root.length + 1).split('/', 1)[0] ?? '';
    if (tree.exists(`${root}/${entry}/info/index.json`) || tree.exists(`${parentOf(root)}/conda-meta`)) {
      return root;
    }
  }
  return undefined;
}

/**
 * Prefixes that the image's environment names: the parents of PATH's `bin` folders, VIRTUAL_ENV and
 * CONDA_PREFIX.
 */
export function prefixesIn(env: readonly string[]): ReadonlySet<string> {
  const prefixes = env.flatMap((entry) => {
    const [, name, value = ''] = /^(PATH|VIRTUAL_ENV|CONDA_PREFIX)=(.*)$/s.exec(entry) ?? [];
    if (name === undefined) {
      return [];
    }
    const paths = name === 'PATH' ? value.split(':') : [value];
    return paths
      .filter((path) => path.startsWith('/'))
      .map((path) => path.replace(/\/+/g, '/').replace(/^\/|\/$/g, ''))
      .map((path) => (name === 'PATH' ? path.replace(/(?:^|\/)bin$/, '') : path));
  });
  return new Set(prefixes);
}

/** What was left out because it lies in package caches, counted for each of them. */
export function leftInCaches(caches: readonly string[], what: string): readonly Skipped[] {
  return [...Map.groupBy(caches, (cache) => cache)]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([path, { length }]) => ({
      path,
      reason: `is a package cache with ${length} ${what} not installed from here`,
    }));
}

/**
 * What a cataloger that asks `installed` has to want: beside RECORD lies what uv may have linked from its
 * cache.
 */
export const recordPlaces: readonly string[] = ['**/*.dist-info/RECORD'];

/** Whether a path is one of `recordPlaces`. */
export function isRecord(path: string): boolean {
  return record.test(path);
}

const record = /^(?:(.*)\/)?[^/]+\.dist-info\/RECORD$/is;

/**
 * The files that are no copies in the cache of a package manager. uv hard-links what it installs from there,
 * so one file has a name here and a name there, and only the first says where it is used; where uv made
 * symbolic links, the file is given the name of the link. Triton's own cache is another matter: checkouts are
 * built with what lies in it.
 */
export function installed<T extends { readonly path: string }>(
  tree: Tree,
  files: readonly T[],
): readonly T[] {
  let sites: readonly string[] | undefined;
  return files.flatMap((file): readonly T[] => {
    if (isRecord(file.path)) {
      return [];
    }
    const cache = /(?:^|\/)\.triton\//.test(file.path) ? undefined : cacheAround(tree, parentOf(file.path));
    if (cache === undefined) {
      return [file];
    }
    // `archive-v0/ID/triton/_C/libtriton.so`: below the ID the file lies as it does where it is installed.
    const below = file.path.slice(cache.length + 1).replace(/^[^/]+\//, '');
    sites ??= sitesIn(tree);
    return sites
      .map((site) => (site === '' ? below : `${site}/${below}`))
      .filter((path) => tree.resolve(path) === file.path)
      .map((path) => ({ ...file, path }));
  });
}

function sitesIn(tree: Tree): readonly string[] {
  const sites = tree.wanted().flatMap(({ path }) => {
    const found = record.exec(path);
    return found === null || cacheAround(tree, parentOf(path)) !== undefined ? [] : [found[1] ?? ''];
  });
  return [...new Set(sites)];
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
