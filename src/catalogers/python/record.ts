import { createHash } from 'node:crypto';
import { compact } from '../../base/compact.ts';
import { printable } from '../../base/text.ts';
import type { Property } from '../../bom/model.ts';
import type { StreamScanner, Tree } from '../contract.ts';
import { sizeProperties, toSize } from '../package-size.ts';
import { isZippedEgg } from './egg.ts';
import type { InfoFind } from './info.ts';
import { linesOf, normalPath, utf8Text } from './text.ts';

/** One line of RECORD (packaging.python.org, "Recording installed projects"). */
interface Entry {
  readonly path: string;
  /**
   * `sha256=<base64url without padding>`; empty for RECORD itself and for what is compiled at installation.
   */
  readonly hash: string;
  /** Bytes; absent for RECORD itself. */
  readonly size?: number;
}

/** torch lists 15,000 files. */
const maxEntries = 200_000;
/** Paths named one by one; the count tells the rest. */
const maxNamed = 10;

/** SHA-256 of a file as RECORD writes it: base64url without padding. */
export interface RecordHash {
  /** Absent where the file was only noticed. */
  readonly sha256?: string;
}

/** What `scanInstalled` is asked about. */
export const installedPlaces: readonly string[] = [
  '**/site-packages/**',
  '**/dist-packages/**',
  '**/archive-v*/**',
  '**/*.whl',
  '**/*.egg',
];

const installedFile = /(?:^|\/)(?:(?:site|dist)-packages|archive-v\d{1,3})\//;

/** Whether a file is a packed distribution: what is in it is not installed. */
export function isPacked(path: string): boolean {
  return /\.(?:whl|egg)$/.test(path) && !isZippedEgg(path);
}

/**
 * Hashes what lies where wheels are installed, while it streams by. Hard links of an environment made by uv
 * may stand in the archive under their name in the cache. Packed distributions elsewhere are only noticed.
 */
export function scanInstalled(path: string): StreamScanner<RecordHash> | undefined {
  if (path.endsWith('.pyc')) {
    return undefined;
  }
  if (!installedFile.test(path)) {
    return isPacked(path) ? { push: () => undefined, isDone: true, end: () => ({}) } : undefined;
  }
  const hash = createHash('sha256');
  return {
    push: (chunk) => {
      hash.update(chunk);
    },
    end: () => ({ sha256: hash.digest('base64url') }),
  };
}

/** SHA-256 of every file that was scanned, by each of its names, as RECORD writes it. */
export function hashesOfInstalled(tree: Tree<RecordHash>): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const { path, links = [], observation } of tree.observed()) {
    if (observation.sha256 !== undefined) {
      for (const name of [path, ...links]) {
        hashes.set(name, observation.sha256);
      }
    }
  }
  return hashes;
}

/** What RECORD says compared with the files; paths without a leading slash. */
export interface Comparison {
  /** How many files RECORD lists. */
  readonly entries: number;
  /** How large they are, by its own word. */
  readonly bytes: number;
  /** Changed since the installation. */
  readonly modified: readonly string[];
  readonly missing: readonly string[];
  /** How many could not be compared, such as scripts outside of the directories of packages. */
  readonly unchecked: number;
}

/** Compares files with RECORD. A file that is compiled anew may be gone. */
export function compareToRecord(
  tree: Tree,
  { info, site }: Pick<InfoFind, 'info' | 'site'>,
  hashes: ReadonlyMap<string, string>,
): Comparison {
  const modified: string[] = [];
  const missing: string[] = [];
  let unchecked = 0;
  const entries = recordEntries(utf8Text(tree, `${info}/RECORD`) ?? '');
  for (const { path, hash } of entries.slice(0, maxEntries)) {
    if (path.endsWith('.pyc')) {
      continue;
    }
    const real = tree.resolve(absolutePath(site, path));
    if (real === undefined) {
      missing.push(absolutePath(site, path));
    } else if (hash !== '') {
      const found = hashes.get(real) ?? (tree.file(real)?.size === 0 ? emptyHash : undefined);
      if (found === undefined || !hash.startsWith('sha256=')) {
        unchecked += 1;
      } else if (hash !== `sha256=${found}`) {
        modified.push(real);
      }
    }
  }
  unchecked += Math.max(0, entries.length - maxEntries);
  const bytes = entries.reduce((sum, { size = 0 }) => sum + size, 0);
  return { entries: entries.length, bytes, missing, modified, unchecked };
}

/**
 * How large the files of RECORD are, and what differs from it: files that were changed or are gone since the
 * installation, and how many could not be compared.
 */
export function recordProperties(
  tree: Tree,
  distribution: Pick<InfoFind, 'info' | 'site'>,
  hashes: ReadonlyMap<string, string>,
): readonly Property[] {
  // Debian and rpm strip libraries after RECORD was written, and have checksums of their own.
  const installer = (utf8Text(tree, `${distribution.info}/INSTALLER`) ?? '').trim();
  if (installer === 'debian' || installer === 'rpm') {
    return [];
  }
  const { bytes, missing, modified, unchecked } = compareToRecord(tree, distribution, hashes);
  return [
    ...sizeProperties(bytes),
    ...listed('tcf:python:record:missing', missing),
    ...listed('tcf:python:record:modified', modified),
    ...(unchecked === 0 ? [] : [{ name: 'tcf:python:record:unchecked:count', value: String(unchecked) }]),
  ];
}

const emptyHash: string = createHash('sha256').digest('base64url');

/** The count, then the entries themselves, up to a limit. */
export function listed(name: string, paths: readonly string[]): readonly Property[] {
  if (paths.length === 0) {
    return [];
  }
  return [
    { name: `${name}:count`, value: String(paths.length) },
    ...paths.slice(0, maxNamed).map((path) => ({ name, value: printable(path) })),
  ];
}

/** A CSV file of path, hash and size; a path with a comma or a quote stands in quotes. */
export function recordEntries(text: string): readonly Entry[] {
  return linesOf(text).flatMap((line): Entry[] => {
    const [, quoted, plain, hash = '', size] =
      /^(?:"((?:[^"]|"")*)"|([^,]+))(?:,([^,]*))?(?:,(\d{1,15})?|$)/.exec(line) ?? [];
    const path = quoted?.replaceAll('""', '"') ?? plain;
    return path === undefined ? [] : [{ path, hash, ...compact({ size: toSize(size) }) }];
  });
}

/** Paths in RECORD are relative to the directory of packages, or absolute. */
export function absolutePath(directory: string, entry: string): string {
  return normalPath(entry.startsWith('/') ? entry : `${directory}/${entry}`);
}
