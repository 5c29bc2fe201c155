import { printable } from '../../base/text.ts';
import type { Skipped, Tree, TreeFile } from '../contract.ts';
import { parseStanzas, type Stanza } from './deb822.ts';

/** A package whose files are in the image. */
export interface Deb {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly fields: ReadonlyMap<string, string>;
  /** The database file that holds its newest stanza. */
  readonly database: TreeFile;
}

const status = 'var/lib/dpkg/status';
const lineFeed = 0x0a;
const distroless = /^var\/lib\/dpkg\/status\.d\/[^/]+$/;
/** dpkg names the entries of its journal by number; `tmp.i` is one that was never finished. */
const journal = /^var\/lib\/dpkg\/updates\/\d+$/;

/** Whether a file lists packages. */
export function isDpkgDatabase(path: string): boolean {
  return path === status || journal.test(path) || (distroless.test(path) && !path.endsWith('.md5sums'));
}

/**
 * Every package whose files are there, as dpkg itself reads its database: `status`, then the journal that is
 * newer. Distroless images have one file for each package instead, without a state.
 */
export function dpkgPackages(tree: Tree): {
  readonly debs: readonly Deb[];
  readonly skipped: readonly Skipped[];
} {
  const skipped: Skipped[] = [];
  const byKey = new Map<string, Deb | undefined>();
  const databases = tree.wanted().filter(({ path }) => isDpkgDatabase(path));
  const rank = (path: string): number => Number(path !== status) + Number(journal.test(path));
  for (const database of [...databases].sort((a, b) => rank(a.path) - rank(b.path))) {
    const path = printable(database.path);
    const content = database.content();
    if (content === undefined) {
      skipped.push({ path, reason: 'is too large to read' });
      continue;
    }
    // A value that is cut is another value; dpkg refuses such a database ("missing final newline").
    if (!distroless.test(database.path) && content.length > 0 && content.at(-1) !== lineFeed) {
      skipped.push({ path, reason: 'ends in the middle of a line' });
    }
    for (const stanza of parseStanzas(Buffer.from(content).toString('utf8'))) {
      const deb = debOf(stanza, database);
      for (const fault of stanza.faults) {
        skipped.push({ path, reason: fault });
      }
      if (typeof deb === 'string') {
        skipped.push({ path, reason: `the stanza at line ${stanza.line} ${deb}` });
        continue;
      }
      byKey.set(dpkgKey(deb), isPresent(stanza, database.path) ? deb : undefined);
    }
  }
  // Whoever took `status` away hides the packages, and dpkg itself would see none: its copy of the day
  // before, and the lists of files, tell that there were some.
  const left = databases.length > 0 ? undefined : remainsOf(tree);
  if (left !== undefined) {
    skipped.push({ path: left, reason: `is there without ${status}, and is not read` });
  }
  return { debs: [...byKey.values()].filter((deb) => deb !== undefined), skipped };
}

function remainsOf(tree: Tree): string | undefined {
  return (
    [`${status}-old`, 'var/lib/dpkg/available'].find((path) => tree.exists(path)) ??
    tree.wanted().find(({ path }) => /^var\/lib\/dpkg\/info\/[^/]+\.list$/.test(path))?.path
  );
}

/** Of a database that a layer above replaced, the fields by which a package is known again. */
export function summarizeStanzas(content: Uint8Array): Uint8Array {
  const lines = Buffer.from(content).toString('utf8').split('\n');
  return Buffer.from(
    lines
      .filter((line) => line.trim() === '' || /^(?:package|status|version|architecture):/i.test(line))
      .join('\n'),
  );
}

/** The layer that brought this version: the lowest whose copy of the database has it. */
export function dpkgLayers(tree: Tree, debs: readonly Deb[]): (deb: Deb) => TreeFile {
  const first = new Map<string, TreeFile>();
  for (const path of new Set(debs.map(({ database }) => database.path))) {
    for (const file of tree.history(path)) {
      const content = file.content();
      if (content === undefined) {
        continue;
      }
      for (const stanza of parseStanzas(Buffer.from(content).toString('utf8'))) {
        const deb = debOf(stanza, file);
        if (typeof deb === 'string' || !isPresent(stanza, path)) {
          continue;
        }
        const key = `${dpkgKey(deb)} ${deb.version}`;
        const known = first.get(key);
        if (known === undefined || known.layer.index > file.layer.index) {
          first.set(key, file);
        }
      }
    }
  }
  return (deb) => first.get(`${dpkgKey(deb)} ${deb.version}`) ?? deb.database;
}

export function dpkgKey({ name, architecture }: Deb): string {
  return `${name}:${architecture}`;
}

/** The package, or why there is none. A name or version with blanks or control characters would be
 * another one in a purl; the limit of a file name, 255 bytes, ends real ones. */
function debOf(stanza: Stanza, database: TreeFile): Deb | string {
  const { fields, repeated } = stanza;
  for (const field of ['package', 'version', 'architecture', 'status']) {
    if (repeated.has(field)) {
      return `has two fields ${field}`;
    }
  }
  const name = fields.get('package') ?? '';
  const version = fields.get('version') ?? '';
  const architecture = fields.get('architecture') ?? '';
  if (name === '') {
    return 'has no field package';
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9+._-]{0,255}$/.test(name)) {
    return 'has an invalid name';
  }
  if (stateOf(stanza, database.path) === undefined) {
    return 'has an invalid status';
  }
  // What was removed and purged may have neither version nor architecture.
  if (!isPresent(stanza, database.path)) {
    return { name, version, architecture, fields, database };
  }
  if (version === '') {
    return 'has no field version';
  }
  if (!/^[!-~]{1,256}$/.test(version)) {
    return 'has an invalid version';
  }
  if (!/^[a-z0-9-]{0,64}$/.test(architecture)) {
    return 'has an invalid architecture';
  }
  return { name, version, architecture, fields, database };
}

const present: ReadonlySet<string> = new Set([
  'half-configured',
  'half-installed',
  'installed',
  'triggers-awaited',
  'triggers-pending',
  'unpacked',
]);
const absent: ReadonlySet<string> = new Set(['config-files', 'not-installed']);

/**
 * The third word of Status; "deinstall" is what is wanted (first word) and proves nothing about the files.
 */
function stateOf({ fields }: Stanza, path: string): string | undefined {
  const status = fields.get('status');
  if (status === undefined) {
    return distroless.test(path) ? 'installed' : undefined;
  }
  const state = status.split(/\s+/)[2] ?? '';
  return present.has(state) || absent.has(state) ? state : undefined;
}

function isPresent(stanza: Stanza, path: string): boolean {
  return present.has(stateOf(stanza, path) ?? '');
}
