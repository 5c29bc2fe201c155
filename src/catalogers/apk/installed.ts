import { createHash } from 'node:crypto';
import { printable } from '../../base/text.ts';
import { isVersion } from '../../bom/versions/apk.ts';
import type { Skipped, Tree, TreeFile } from '../contract.ts';

const lineFeed = 0x0a;

/** A package of the installed database. */
export interface Apk {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** By their letters (apk-db(5)); the lines of its files are left out. */
  readonly fields: ReadonlyMap<string, string>;
  readonly database: TreeFile;
  /** SHA-256 of the record as it stands in the database, in hex. */
  readonly record: string;
}

/** The second one is where distributions with a merged /usr have it; mostly they are one file by a link. */
export const apkDatabases: readonly string[] = ['lib/apk/db/installed', 'usr/lib/apk/db/installed'];

export function isApkDatabase(path: string): boolean {
  return apkDatabases.includes(path);
}

export interface Apks {
  readonly apks: readonly Apk[];
  readonly skipped: readonly Skipped[];
}

/** Every package that the databases of the image list. What cannot be read loses itself and nothing else. */
export function apkPackages(tree: Tree): Apks {
  const found = new Map<string, Apk>();
  const skipped: Skipped[] = [];
  for (const database of tree.wanted().filter(({ path }) => isApkDatabase(path))) {
    const path = printable(database.path);
    const content = database.content();
    if (content === undefined) {
      skipped.push({ path, reason: 'is too large to read' });
      continue;
    }
    // A value that is cut is another value, and apk ends every line.
    if (content.length > 0 && content.at(-1) !== lineFeed) {
      skipped.push({ path, reason: 'ends in the middle of a line' });
    }
    for (const record of recordsOf(content)) {
      for (const fault of record.faults) {
        skipped.push({ path, reason: fault });
      }
      const apk = apkOf(record, database);
      if (typeof apk === 'string') {
        skipped.push({ path, reason: `the record at line ${record.line} ${apk}` });
        continue;
      }
      // Two versions of a name are both told: nobody knows which one is there. The same version twice is one
      // package.
      const key = `${apk.name} ${apk.version} ${apk.architecture}`;
      if (found.has(key)) {
        skipped.push({ path, reason: `lists ${apk.name} ${apk.version} twice` });
      } else {
        found.set(key, apk);
      }
    }
  }
  return { apks: [...found.values()], skipped };
}

/** Of a database that a layer above replaced, the fields by which a package is known again. */
export function summarizeRecords(content: Uint8Array): Uint8Array {
  const lines = Buffer.from(content).toString('utf8').split('\n');
  return Buffer.from(lines.filter((line) => line.trim() === '' || /^[PVA]:/.test(line)).join('\n'));
}

/** The layer that brought this version: the lowest whose copy of the database has it. */
export function apkLayers(tree: Tree, apks: readonly Apk[]): (apk: Apk) => TreeFile {
  const first = new Map<string, TreeFile>();
  for (const path of new Set(apks.map(({ database }) => database.path))) {
    for (const file of tree.history(path)) {
      const content = file.content();
      if (content === undefined) {
        continue;
      }
      for (const record of recordsOf(content)) {
        const apk = apkOf(record, file);
        if (typeof apk === 'string') {
          continue;
        }
        const key = `${apk.name} ${apk.version}`;
        const known = first.get(key);
        if (known === undefined || known.layer.index > file.layer.index) {
          first.set(key, file);
        }
      }
    }
  }
  return (apk) => first.get(`${apk.name} ${apk.version}`) ?? apk.database;
}

/** A record in which one of these stands twice is of no package. */
const identity: readonly string[] = ['P', 'V', 'A'];

interface ApkRecord {
  readonly fields: ReadonlyMap<string, string>;
  /** Of its first line, from 1. */
  readonly line: number;
  readonly faults: readonly string[];
  readonly repeated: ReadonlySet<string>;
  readonly sha256: string;
}

/**
 * Lines about files and directories. They are most of the database, and are read when owners are asked for.
 */
const fileFields: ReadonlySet<string> = new Set(['F', 'M', 'R', 'a', 'Z']);
/** After these the rest of the record is as broken; the list is for people. */
const maxFaults = 3;

function* recordsOf(content: Uint8Array): Generator<ApkRecord> {
  let line = 1;
  for (const text of Buffer.from(content)
    .toString('utf8')
    .split(/\n(?:\r?\n)+/)) {
    const start = line;
    line += text.split('\n').length + 1;
    if (text.trim() !== '') {
      yield recordOf(text, start);
    }
  }
}

function recordOf(text: string, line: number): ApkRecord {
  const fields = new Map<string, string>();
  const repeated = new Set<string>();
  const faults: string[] = [];
  for (const [at, row] of text.split(/\r?\n/).entries()) {
    if (row === '') {
      continue;
    }
    const name = row.charAt(0);
    if (!/^[A-Za-z]:/.test(row)) {
      if (faults.length < maxFaults) {
        faults.push(`line ${line + at} is not a field`);
      }
      continue;
    }
    if (fileFields.has(name)) {
      continue;
    }
    if (fields.has(name)) {
      repeated.add(name);
      if (!identity.includes(name) && faults.length < maxFaults) {
        faults.push(`line ${line + at} repeats the field ${name}`);
      }
      // The licences of two lines are none that could be concluded.
      if (name === 'L') {
        fields.set(name, `${fields.get(name)}, ${row.slice(2)}`);
      }
    } else {
      fields.set(name, row.slice(2));
    }
  }
  return { fields, line, faults, repeated, sha256: createHash('sha256').update(text).digest('hex') };
}

/** The package, or why there is none. Names and versions with other characters would be others in a purl. */
function apkOf({ fields, repeated, sha256 }: ApkRecord, database: TreeFile): Apk | string {
  for (const field of identity) {
    if (repeated.has(field)) {
      return `has two fields ${field}`;
    }
  }
  const name = fields.get('P') ?? '';
  const version = fields.get('V') ?? '';
  const architecture = fields.get('A') ?? '';
  if (name === '') {
    return 'has no name';
  }
  if (!/^[A-Za-z0-9._][A-Za-z0-9._+-]{0,255}$/.test(name)) {
    return 'has an invalid name';
  }
  if (version === '') {
    return 'has no version';
  }
  if (version.length > 256 || !isVersion(version)) {
    return 'has an invalid version';
  }
  if (!/^[A-Za-z0-9_-]{0,64}$/.test(architecture)) {
    return 'has an invalid architecture';
  }
  return { name, version, architecture, fields, database, record: sha256 };
}

/** PATH_MAX of Linux. */
const maxPath = 4096;

/**
 * The paths that each package brought, as the database has them: without a leading slash, links in
 * directories not followed.
 */
export function* pathsIn(database: TreeFile): Generator<{ readonly apk: string; readonly path: string }> {
  let apk = '';
  let directory = '';
  for (const row of Buffer.from(database.content() ?? [])
    .toString('utf8')
    .split('\n')) {
    const value = row.slice(2);
    if (row.startsWith('P:')) {
      apk = value;
      directory = '';
    } else if (row.startsWith('F:')) {
      directory = value;
    } else if (row.startsWith('R:') && value.length + directory.length < maxPath) {
      yield { apk, path: directory === '' ? value : `${directory}/${value}` };
    }
  }
}
