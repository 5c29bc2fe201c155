import { printable } from '../base/text.ts';
import type { Cataloger, Skipped, StreamScanner, Tree } from './contract.ts';
import { isOsDatabase, unreadByHead, unreadByPlace, unreadHeads, unreadPlaces } from './unread/kinds.ts';

/** Of a file that tcf does not read. */
export interface SeenUnread {
  /** Goes on after a count: `archives of Java`. */
  readonly what: string;
}

const seen = (what: string | undefined): StreamScanner<SeenUnread> | undefined =>
  what === undefined ? undefined : { push: () => undefined, isDone: true, end: () => ({ what }) };

/**
 * Sees what other scanners read and tcf does not, so that an SBOM which leaves it out says so. It makes no
 * components: what it saw and no package owns is told by `unreadIn`.
 */
export const others: Cataloger<SeenUnread> = {
  name: 'others',
  wantedAt: [],
  wants: () => false,
  scanned: { at: unreadPlaces },
  scan: (path) => seen(unreadByPlace(path)),
  catalog: () => ({ components: [], dependencies: [], skipped: [] }),
};

/** Sees files that hold others, by their first bytes; the rest is as with `others`. */
export const packed: Cataloger<SeenUnread> = {
  ...others,
  name: 'packed',
  scanned: { begins: unreadHeads },
  scan: (path, head) => (unreadByPlace(path) === undefined ? seen(unreadByHead(path, head)) : undefined),
};

/**
 * Where the catalogers of OS packages look, and what belongs to these databases: the catalogers tell of it.
 */
const inRoot = [
  ...['available', 'status', 'status-old'].map((name) => `var/lib/dpkg/${name}`),
  ...['lib/apk/db', 'usr/lib/apk/db'].flatMap((place) => [`${place}/installed`, `${place}/scripts.tar.gz`]),
  ...['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'].flatMap((place) =>
    ['Packages', 'Packages.db', 'rpmdb.sqlite'].map((name) => `${place}/${name}`),
  ),
  'var/lib/rpmmanifest/container-manifest-2',
];

/**
 * Of each kind of `others` and `packed` the number of files that no component owns, and the first of them.
 */
export function unreadIn(tree: Tree<SeenUnread>, isOwned: (path: string) => boolean): readonly Skipped[] {
  const read = new Set(inRoot.map((path) => tree.resolve(path)));
  const folders = ['var/lib/dpkg/info', 'var/lib/dpkg/status.d'].flatMap((path) => tree.resolve(path) ?? []);
  const isRead = (path: string, what: string): boolean => {
    const real = tree.resolve(path) ?? path;
    return read.has(real) || (isOsDatabase(what) && folders.some((folder) => real.startsWith(`${folder}/`)));
  };
  const free = tree.observed().filter(({ path, links = [], observation: { what } }) => {
    const names = [path, ...links, tree.resolve(path) ?? path];
    return !names.some((name) => isRead(name, what) || isOwned(name));
  });
  return [...Map.groupBy(free, ({ observation }) => observation.what)].map(([what, files]) => ({
    path: printable(files[0]?.path ?? ''),
    reason: `the first of ${files.length} ${what}, which are not read`,
  }));
}
