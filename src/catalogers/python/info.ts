import { printable } from '../../base/text.ts';
import type { Skipped, Tree, TreeFile } from '../contract.ts';
import { isZippedEgg, parseEgg } from './egg.ts';
import { siteAround } from './environments.ts';
import { type CoreMetadata, firstOf, isProjectName, parseMetadata } from './metadata.ts';
import { parentFolder } from './text.ts';

/** What one metadata directory, egg-info file or zipped egg says. */
export interface InfoFind {
  readonly name: string;
  readonly version: string;
  readonly metadata: CoreMetadata;
  /** METADATA, PKG-INFO, the egg-info file itself or the zipped egg, by its real path. */
  readonly file: TreeFile;
  /**
   * The metadata directory, the egg-info file or the zipped egg, as its site names it: it may be a symbolic
   * link.
   */
  readonly info: string;
  /** The directory the packages lie in. */
  readonly site: string;
  /** `requires.txt` of a zipped egg. */
  readonly requires?: Uint8Array;
}

/** In any capitals, as importlib.metadata compares them. */
const infoDirectory = /(?:^|\/)(?:[^/]+\.(?:dist|egg)-info|EGG-INFO)$/i;

/** Globs of files of these names below the metadata directory of a distribution. */
export function belowInfo(names: readonly string[]): readonly string[] {
  return ['*.dist-info', '*.egg-info', 'EGG-INFO'].flatMap((folder) =>
    names.map((name) => `**/${folder}/**/${name}`),
  );
}

export const metadataPlaces: readonly string[] = [
  ...belowInfo(['METADATA', 'PKG-INFO']),
  '**/*.egg-info',
  '**/site-packages/*.egg',
  '**/dist-packages/*.egg',
];

/** Whether a file is the metadata of a distribution. A file `x.egg-info` counts only where packages lie. */
export function isMetadata(path: string): boolean {
  if (isZippedEgg(path)) {
    return true;
  }
  const directory = parentFolder(path);
  if (/\/(?:METADATA|PKG-INFO)$/.test(path)) {
    return infoDirectory.test(directory);
  }
  return /\.egg-info$/i.test(path) && siteAround(path) === directory;
}

/**
 * The metadata directory or file that a path in it belongs to: `site/a-1.dist-info` of
 * `site/a-1.dist-info/RECORD`.
 */
export function infoAround(path: string): string | undefined {
  const found = /^((?:.*\/)?(?:[^/]+\.(?:dist|egg)-info|EGG-INFO))(?:\/|$)/is.exec(path)?.[1];
  return found ?? (isZippedEgg(path) ? path : undefined);
}

/** Whether a name in a directory of packages is that of a distribution's metadata. */
export function isInfoName(site: string, name: string): boolean {
  if (/^EGG-INFO$/i.test(name)) {
    return /\.egg$/i.test(site);
  }
  return /\.(?:dist|egg)-info$/i.test(name) || isZippedEgg(`${site}/${name}`);
}

/**
 * Reads what a name in a directory of packages stands for. `undefined`: a directory that only looks like a
 * zipped egg.
 */
export function readInfo(tree: Tree, site: string, name: string): InfoFind | Skipped | undefined {
  const info = site === '' ? name : `${site}/${name}`;
  const skip = (path: string, reason: string): Skipped => ({ path: printable(path), reason });
  if (tree.resolve(info) === undefined) {
    return skip(info, 'is a symbolic link that leads nowhere');
  }
  const path = [`${info}/METADATA`, `${info}/PKG-INFO`, info].find((each) => tree.file(each) !== undefined);
  const file = path === undefined ? undefined : tree.file(path);
  if (path === undefined || file === undefined) {
    return isZippedEgg(info) ? undefined : skip(info, 'has no METADATA and no PKG-INFO');
  }
  const content = file.content();
  if (content === undefined) {
    return skip(path, 'is too large to read, or leads to a file of another kind');
  }
  const egg = isZippedEgg(info) ? parseEgg(content) : { info: content };
  if (egg === undefined) {
    return skip(path, 'is not a readable egg');
  }
  const metadata = parseMetadata(egg.info);
  const project = firstOf(metadata, 'name') ?? '';
  const version = firstOf(metadata, 'version') ?? '';
  if (!isProjectName(project)) {
    return skip(path, 'has no valid Name');
  }
  if (!/^[!-~]{1,200}$/.test(version)) {
    return skip(path, 'has no valid Version');
  }
  return { ...egg, name: project, version, metadata, file, info, site };
}
