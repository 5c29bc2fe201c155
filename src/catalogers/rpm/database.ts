import { compact } from '../../base/compact.ts';
import { printable } from '../../base/text.ts';
import type { Skipped, Tree, TreeFile } from '../contract.ts';
import { readBdb } from './bdb.ts';
import { BadHeader, type Header, parseHeader } from './header.ts';
import { readNdb } from './ndb.ts';
import { type Rpm, type RpmBudget, rpmKey, toRpm } from './packages.ts';
import type { Row } from './row.ts';
import { readSqlite } from './sqlite.ts';

/** In the order in which distributions moved; `macros` decides where two of them are real. */
const places = ['usr/lib/sysimage/rpm', 'var/lib/rpm', 'usr/share/rpm'];
const files = ['rpmdb.sqlite', 'Packages.db', 'Packages'];
const macros = 'usr/lib/rpm/macros';

export const rpmDatabases: readonly string[] = [
  ...places.flatMap((place) => [...files, 'rpmdb.sqlite-wal'].map((name) => `${place}/${name}`)),
  macros,
];

export function isRpmDatabase(path: string): boolean {
  return rpmDatabases.includes(path);
}

/** The database rpm itself would open in this image, and the others, which it would not. */
export function chooseDatabase(tree: Tree): {
  readonly chosen?: TreeFile;
  readonly others: readonly TreeFile[];
} {
  const configured = dbpathOf(tree);
  const found = new Map<string, TreeFile>();
  for (const place of configured === undefined ? places : [configured, ...places]) {
    const file = files.map((name) => tree.file(`${place}/${name}`)).find((each) => each !== undefined);
    if (file !== undefined) {
      found.set(file.path, file);
    }
  }
  const [chosen, ...others] = found.values();
  return compact({ chosen, others });
}

function dbpathOf(tree: Tree): string | undefined {
  const content = tree.file(macros)?.content();
  const value = /^%_dbpath\s+(\S+)/m.exec(Buffer.from(content ?? []).toString('latin1', 0, 256 * 1024))?.[1];
  const path = value
    ?.replace(/%\{_usr\}|%\{_prefix\}/, '/usr')
    .replace('%{_var}', '/var')
    .replace(/^\/+/, '');
  return path !== undefined && places.includes(path) ? path : undefined;
}

/**
 * Every header of a database with its package, without relations where there is no budget for them; what
 * cannot be read goes into `skipped`, and only itself is lost.
 */
export function* packagesIn(
  file: TreeFile,
  log: TreeFile | undefined,
  skipped: Skipped[],
  budget: RpmBudget = { relations: 0 },
): Generator<{ readonly rpm: Rpm; readonly header: Header }> {
  const path = printable(file.path);
  const content = file.content();
  if (content === undefined) {
    skipped.push({ path, reason: 'is too large to read' });
    return;
  }
  if (log !== undefined && log.content() === undefined) {
    skipped.push({ path: printable(log.path), reason: 'is too large to read' });
  }
  for (const { where, blob, fault } of rowsOf(file.path, content, log?.content())) {
    if (blob === undefined) {
      skipped.push({ path, reason: `${where} ${fault ?? 'holds no header'}` });
      continue;
    }
    try {
      const header = parseHeader(blob);
      const rpm = toRpm(header, file, budget);
      if (rpm !== undefined) {
        yield { rpm, header };
      }
    } catch (error) {
      if (!(error instanceof BadHeader)) {
        throw error;
      }
      skipped.push({ path, reason: `the header in ${where} ${error.message}` });
    }
  }
}

/** The first line of the summary of a database; no database begins with it. */
const summaryMark = 'tcf: the packages of an rpm database';

/**
 * The packages of a database that a layer above replaced, a key on each line; nothing of its log, whose
 * history nobody asks for.
 */
export function summarizeDatabase(path: string, content: Uint8Array): Uint8Array | undefined {
  if (!isRpmDatabase(path) || path === macros) {
    return undefined;
  }
  if (path.endsWith('-wal')) {
    return new Uint8Array(0);
  }
  const file: TreeFile = {
    path,
    size: content.length,
    layer: { index: 0, diffId: '' },
    content: () => content,
  };
  return Buffer.from([summaryMark, ...keysOf(file)].join('\n'));
}

/** The keys of a database of a lower layer, summarized or whole. */
export function keysIn(file: TreeFile): readonly string[] {
  const content = Buffer.from(file.content() ?? []);
  return content.toString('latin1', 0, summaryMark.length) === summaryMark
    ? content.toString('utf8').split('\n').slice(1)
    : keysOf(file);
}

function keysOf(file: TreeFile): readonly string[] {
  return [...packagesIn(file, undefined, [])].map(({ rpm }) => rpmKey(rpm));
}

function rowsOf(path: string, content: Uint8Array, log: Uint8Array | undefined): Iterable<Row> {
  if (path.endsWith('.sqlite')) {
    return readSqlite(content, log);
  }
  return path.endsWith('.db') ? readNdb(content) : readBdb(content);
}
