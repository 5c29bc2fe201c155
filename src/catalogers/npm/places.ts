import type { Tree, TreeFile } from '../contract.ts';

/**
 * Where `npm install --global` puts packages: `lib/node_modules` of any prefix, which is the distribution's,
 * a user's own or one of asdf, conda, fnm, mise, n, nvm or volta; Fedora numbers the folder. Then the folders
 * of yarn, pnpm and bun. What lies beside a `package.json` looks like the first and is none of them
 * (`isProject`).
 */
const globalTree =
  /^(?:(?:.+\/)?lib(?:64)?\/node_modules(?:_\d{1,3})?|(?:.+\/)?\.?(?:yarn|bun\/install)\/global\/node_modules|(?:.+\/)?pnpm\/global\/[^/]+(?:\/[^/]+)?\/node_modules)\//s;
const treeName = /\/node_modules(?:_\d{1,3})?\//;
/** Where Debian's own packages of Node modules lie; they find one another there. */
const debianTree = /^usr\/(?:share|lib(?:\/[^/]+-linux-gnu[^/]*)?)\/nodejs\//;
/**
 * What follows the tree, packages within packages. No name starts with a dot: npm leaves `.name-Xa1b2C` when
 * it is interrupted.
 */
const packagePlace =
  /^(?:\.pnpm\/[^/]+\/node_modules\/|(?:@[^/]+\/)?(?!node_modules\/)[^/@.][^/]*\/node_modules\/)*(?:@[^/]+\/)?(?!node_modules\/)[^/@.][^/]*\/package\.json$/;

/** A package in a folder of modules, its own or another's. */
const applicationPlace = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;

/** Whether a path is the manifest of a package that was installed globally. */
export function isGlobalManifest(path: string): boolean {
  if (!path.endsWith('/package.json')) {
    return false;
  }
  const root = rootOf(path);
  return root !== undefined && packagePlace.test(path.slice(root.length));
}

/**
 * The global tree a path lies in, with its last slash. The first `node_modules` decides: one below it is
 * never a tree of its own.
 */
export function rootOf(path: string): string | undefined {
  const debian = debianTree.exec(path)?.[0];
  if (debian !== undefined) {
    return debian;
  }
  const first = treeName.exec(path);
  if (first === null) {
    return undefined;
  }
  const root = path.slice(0, first.index + first[0].length);
  return globalTree.test(root) ? root : undefined;
}

/** Whether `lib/node_modules` belongs to a project whose folder is, or holds, that `lib`. */
export function isProject(tree: Tree, root: string): boolean {
  const [, prefix, lib] = /^(?:(.+)\/)?(lib(?:64)?)\/node_modules(?:_\d{1,3})?\/$/s.exec(root) ?? [];
  if (lib === undefined) {
    return false;
  }
  const parent = prefix === undefined ? '' : `${prefix}/`;
  return tree.exists(`${parent}package.json`) || tree.exists(`${parent}${lib}/package.json`);
}

/** Whether a path is the manifest of a package of an application. */
export function isApplicationManifest(path: string): boolean {
  return applicationPlace.test(path) && !isGlobalManifest(path);
}

/** Whether packages that were installed globally lie right below `root`, and not those of Debian. */
export function isGlobalTree(root: string): boolean {
  return globalTree.test(root);
}

/** The directory of a package. */
export function npmPlaceOf(file: TreeFile): string {
  return file.path.slice(0, -'/package.json'.length);
}

/** The directory around the `node_modules` that a package lies in; empty for none. */
export function parentOf(place: string): string {
  return place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/') + 1));
}

/**
 * As `require` does (nodejs.org/api/modules.html, "Loading from node_modules folders"): the nearest directory
 * of that name.
 */
export function lookUpModule(tree: Tree, place: string, name: string): string | undefined {
  const root = rootOf(`${place}/`) ?? '';
  for (let at = place; at.length > root.length; ) {
    const real = tree.resolve(`${at}/node_modules/${name}`);
    if (real !== undefined) {
      return real;
    }
    const next = at.lastIndexOf('/node_modules/');
    if (next < root.length) {
      break;
    }
    at = at.slice(0, next);
  }
  return tree.resolve(`${root}${name}`);
}
