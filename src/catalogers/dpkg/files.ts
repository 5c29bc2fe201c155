import type { Skipped, Tree } from '../contract.ts';
import { type Deb, dpkgKey } from './packages.ts';

const info = 'var/lib/dpkg/info';
/** PATH_MAX of Linux, and a checksum before it. */
const maxLine = 4200;
/**
 * A dev image lists 400,000 files. Beyond, ownership is not told, which `unreadPaths` says, and nothing else
 * is lost.
 */
const maxPaths = 2_000_000;

/** Whether a file says which files a package brought. */
export function isFileList(path: string): boolean {
  return (
    /^var\/lib\/dpkg\/info\/[^/]+\.(?:list|md5sums)$/.test(path) ||
    /^var\/lib\/dpkg\/status\.d\/[^/]+\.md5sums$/.test(path) ||
    path === 'var/lib/dpkg/diversions'
  );
}

/** The checksum file of a package, by its exact name: `python3.11` must not answer for `python3`. */
export function checksumsOf(tree: Tree, deb: Deb): Uint8Array | undefined {
  return contentOf(tree, deb, 'md5sums');
}

/**
 * Which packages brought a path; the path is real and has no leading slash. The lists are read when first
 * asked. They name paths as the package has them (`/lib/x86_64-linux-gnu/libc.so.6`), the tree has them where
 * the links lead (`usr/lib/..`): so the directory of each is followed, its last part is not, for a package
 * owns the link and not what the link names.
 */
export function dpkgOwners(tree: Tree, debs: readonly Deb[]): (deb: Deb, path: string) => boolean {
  let owners: ReadonlyMap<string, string> | undefined;
  // Of one path every package is asked in turn.
  let asked: string | undefined;
  let keys: readonly string[] = [];
  return (deb, path) => {
    owners ??= readLists(tree, debs);
    if (path !== asked) {
      asked = path;
      keys = owners.get(path)?.split('\n') ?? [];
    }
    return keys.length > 0 && keys.includes(dpkgKey(deb));
  };
}

/**
 * The lists that `fileOwners` would not read to their end: lines are counted as they stand, directories
 * included.
 */
export function unreadPaths(tree: Tree, debs: readonly Deb[]): readonly Skipped[] {
  let count = 0;
  for (const deb of debs) {
    count += linesIn(contentOf(tree, deb, 'list') ?? contentOf(tree, deb, 'md5sums'));
    if (count > maxPaths) {
      return [{ path: info, reason: `lists more than ${maxPaths} files; the owners of some are not known` }];
    }
  }
  return [];
}

function linesIn(content: Uint8Array = new Uint8Array(0)): number {
  let lines = 0;
  for (let at = content.indexOf(10); at >= 0; at = content.indexOf(10, at + 1)) {
    lines += 1;
  }
  return lines + 1;
}

/**
 * Keys of packages by path, one on a line: nearly every path has one owner, and a list for each of 400,000
 * would take 40 MB more.
 */
function readLists(tree: Tree, debs: readonly Deb[]): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  const directories = new Map<string, string>();
  const realDirectory = (directory: string): string => {
    const known = directories.get(directory);
    if (known !== undefined) {
      return known;
    }
    const real = directory === '' ? '' : (tree.resolve(directory) ?? directory);
    directories.set(directory, real);
    return real;
  };
  const diverted = diversionsOf(tree);
  let count = 0;
  for (const deb of debs) {
    const key = dpkgKey(deb);
    const paths = pathsOf(tree, deb);
    for (const [at, listed] of paths.entries()) {
      count += 1;
      // A directory stands before what lies in it. Directories belong to everybody.
      if (isBelow(paths[at + 1], listed) || count > maxPaths) {
        continue;
      }
      const diversion = diverted.get(listed);
      const path = diversion === undefined || diversion.by === deb.name ? listed : diversion.to;
      const slash = path.lastIndexOf('/');
      const directory = realDirectory(path.slice(0, Math.max(0, slash)));
      const real = directory === '' ? path.slice(slash + 1) : `${directory}/${path.slice(slash + 1)}`;
      const known = owners.get(real);
      if (known === undefined) {
        owners.set(real, key);
      } else if (!known.split('\n').includes(key)) {
        owners.set(real, `${known}\n${key}`);
      }
    }
  }
  return owners;
}

function isBelow(path: string | undefined, directory: string): boolean {
  return path?.[directory.length] === '/' && path.startsWith(directory);
}

/**
 * From `.list`; distroless images have only `.md5sums`, whose lines are `<32 hex>  <path>`. One bad line
 * loses itself.
 */
function pathsOf(tree: Tree, deb: Deb): readonly string[] {
  const list = contentOf(tree, deb, 'list');
  if (list !== undefined) {
    const paths: string[] = [];
    for (const line of linesOf(list)) {
      const path = bare(line);
      if (path !== '') {
        paths.push(path);
      }
    }
    return paths;
  }
  return linesOf(contentOf(tree, deb, 'md5sums')).flatMap((line) => {
    const path = /^[0-9a-f]{32} [ *](.+)$/.exec(line)?.[1];
    return path === undefined ? [] : [bare(path)];
  });
}

function contentOf(tree: Tree, deb: Deb, kind: 'list' | 'md5sums'): Uint8Array | undefined {
  const { name, architecture, database } = deb;
  const places = database.path.startsWith('var/lib/dpkg/status.d/')
    ? [`${database.path}.${kind}`]
    : [`${info}/${name}:${architecture}.${kind}`, `${info}/${name}.${kind}`];
  for (const place of places) {
    const content = tree.file(place)?.content();
    if (content !== undefined) {
      return content;
    }
  }
  return undefined;
}

/**
 * Triples of lines: the path, where it went, and the package that wanted it so (`:` for the administrator).
 */
function diversionsOf(tree: Tree): ReadonlyMap<string, { readonly to: string; readonly by: string }> {
  const lines = linesOf(tree.file('var/lib/dpkg/diversions')?.content());
  const diversions = new Map<string, { readonly to: string; readonly by: string }>();
  for (let at = 0; at + 2 < lines.length; at += 3) {
    diversions.set(bare(lines[at] ?? ''), { to: bare(lines[at + 1] ?? ''), by: lines[at + 2] ?? '' });
  }
  return diversions;
}

function linesOf(content: Uint8Array = new Uint8Array(0)): readonly string[] {
  const lines = Buffer.from(content.buffer, content.byteOffset, content.length).toString('utf8').split('\n');
  return lines.some((line) => line.length > maxLine)
    ? lines.map((line) => (line.length > maxLine ? '' : line))
    : lines;
}

function bare(path: string): string {
  const last = path.at(-1);
  // Nearly every path is `/usr/bin/x`.
  if (path[0] === '/' && path[1] !== '/' && last !== '/' && last !== '.') {
    return path.slice(1);
  }
  return path.replace(/^\.?\/+/, '').replace(/\/+\.?$/, '');
}
