import { byCodeUnit } from '../../base/text.ts';
import { prefixesIn } from '../caches.ts';
import type { Tree } from '../contract.ts';
import { infoAround } from './info.ts';
import { parentFolder } from './text.ts';

/** One small file of the standard library: where it lies, an interpreter looks for packages beside it. */
const standardLibrary = /^((?:.*\/)?lib(?:64|32)?\/(?:python|pypy)\d{1,3}\.\d{1,3}t?)\/keyword\.py$/s;
const configuration = /^(?:(.*)\/)?pyvenv\.cfg$/s;
const pathFile = /(?:^|\/)(?:site|dist)-packages\/[^/]+\.(?:pth|egg-link)$/;
const libraries = ['lib', 'lib64', 'lib32'];
const packages = ['site-packages', 'dist-packages'];

export const sitePlaces: readonly string[] = [
  ...packages.flatMap((name) => [`**/${name}/*.pth`, `**/${name}/*.egg-link`]),
  '**/pyvenv.cfg',
  '**/lib*/python*/keyword.py',
  '**/lib*/pypy*/keyword.py',
];

/**
 * Files that tell where packages may lie although no metadata does: there, it may be behind symbolic links.
 */
export function isSiteMark(path: string): boolean {
  return pathFile.test(path) || configuration.test(path) || standardLibrary.test(path);
}

/**
 * Every directory that may hold distributions, by its real path: where metadata was found, where installers
 * left their traces, and where the interpreters and environments of the image look.
 */
export function sitesIn(tree: Tree): readonly string[] {
  const found = new Set<string>();
  const add = (path: string): void => {
    const real = tree.resolve(path);
    if (real !== undefined) {
      found.add(real);
    }
  };
  const prefixes = new Set(['', 'usr', 'usr/local', ...prefixesIn(tree.env)]);
  for (const { path } of tree.wanted()) {
    const info = infoAround(path);
    if (info !== undefined) {
      found.add(parentFolder(info));
    }
    if (pathFile.test(path)) {
      found.add(parentFolder(path));
    }
    const library = standardLibrary.exec(path)?.[1];
    if (library !== undefined) {
      for (const name of packages) {
        add(`${library}/${name}`);
      }
    }
    const prefix = configuration.exec(path);
    if (prefix !== null) {
      prefixes.add(prefix[1] ?? '');
    }
  }
  for (const prefix of prefixes) {
    for (const library of librariesOf(tree, prefix)) {
      add(library);
    }
  }
  for (const path of searchPathOf(tree)) {
    found.add(path);
  }
  for (const path of besideThem(tree, [...found])) {
    add(path);
  }
  return [...found].sort(byCodeUnit);
}

/** `PREFIX/lib/python3.12/site-packages` and its like. */
function librariesOf(tree: Tree, prefix: string): readonly string[] {
  return libraries
    .map((library) => (prefix === '' ? library : `${prefix}/${library}`))
    .flatMap((library) =>
      tree
        .list(library)
        .filter((name) => /^(?:python|pypy)\d/.test(name))
        .flatMap((name) => packages.map((each) => `${library}/${name}/${each}`)),
    );
}

const ofPrefix = /^(?:(.*)\/)?[^/]+\/(lib(?:64|32)?\/(?:python|pypy)[^/]+\/(?:site|dist)-packages)$/s;
/** Versions of Python whose environments lie in one folder: each multiplies the names that are tried. */
const maxBeside = 16;

/**
 * Environments lie in one folder, and one of them may hold nothing but links to the others, as in Nix's
 * store.
 */
function besideThem(tree: Tree, sites: readonly string[]): readonly string[] {
  const folders = new Map<string, Set<string>>();
  for (const site of sites) {
    const [, folder = '', inside] = ofPrefix.exec(site) ?? [];
    if (inside === undefined) {
      continue;
    }
    const known = folders.get(folder) ?? new Set();
    if (known.size < maxBeside) {
      folders.set(folder, known.add(inside));
    }
  }
  return [...folders].flatMap(([folder, insides]) =>
    tree
      .list(folder)
      .flatMap((name) =>
        [...insides].map((inside) => `${folder === '' ? '' : `${folder}/`}${name}/${inside}`),
      ),
  );
}

/**
 * The directories of PYTHONPATH by their real paths: every interpreter searches them first. Relative ones lie
 * nowhere in an image.
 */
export function searchPathOf({ env, resolve }: Tree): readonly string[] {
  const value = env.findLast((entry) => entry.startsWith('PYTHONPATH='))?.slice('PYTHONPATH='.length) ?? '';
  return value
    .split(':')
    .filter((path) => path.startsWith('/'))
    .flatMap((path) => resolve(path.replace(/^\/+/, '')) ?? []);
}
