import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { cannotTell } from '../../base/error.ts';
import { byCodeUnit, plural, quoted } from '../../base/text.ts';
import { replaceFile } from '../../system/atomic.ts';
import type { Host } from '../../system/host.ts';
import { withScratchFolder } from '../../system/scratch.ts';
import type { AdvisoryRecord } from '../../vulns/advisory.ts';
import cudaReleases from '../../vulns/data/cuda-releases.json' with { type: 'json' };
import llvmFacts from '../../vulns/data/llvm-cves.json' with { type: 'json' };
import nvidiaFacts from '../../vulns/data/nvidia-cuda-cves.json' with { type: 'json' };
import { ordersOf, packageKey } from '../../vulns/ecosystems.ts';
import { sortedVersions } from '../../vulns/evaluate.ts';
import type { Network } from '../network.ts';
import type { ArchiveIndex } from './archive-index.ts';
import { sealed } from './database-file.ts';
import { fetchedInputs } from './fetch-inputs.ts';
import { type InputReader, readInput } from './inputs.ts';
import { inTransaction, loadSqlite } from './sqlite.ts';
import { edition, tables } from './tables.ts';

export interface BuildRequest {
  /** Folders, zip archives, files, and https addresses of archives. */
  readonly inputs: readonly string[];
  /**
   * RFC 3339: when the inputs were taken. Default: the newest date that a source has is all that is known.
   */
  readonly taken?: string;
  /**
   * Leave out records that cannot be read, and say in every answer that they are missing. Default: refuse.
   */
  readonly skipUnreadable?: boolean;
  readonly network?: Network;
}

export interface BuiltDatabase {
  readonly records: number;
  readonly withdrawn: number;
  readonly passedOver: number;
  readonly unread: readonly { readonly where: string; readonly why: string }[];
}

/** The first ones are named, all are counted. */
const maxNamed = 20;

/**
 * Makes a database from what others publish, and hands the path of the finished file to `use`; the file is
 * gone afterwards. The same inputs give the same bytes, in whatever order they are named.
 *
 * @throws TcfError `db.unreadable`, `db.empty`, `db.index` (exit 2), `db.input`, `file.unreadable` (exit 3).
 */
export async function buildDatabase(
  host: Host,
  request: BuildRequest,
  use: (path: string) => Promise<void>,
): Promise<BuiltDatabase> {
  return await withScratchFolder(async (scratch) => {
    const { DatabaseSync } = await loadSqlite(host);
    const stage = new DatabaseSync(join(scratch, 'stage.sqlite'));
    stage.exec(
      'PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE raw (id TEXT, modified TEXT, body TEXT);',
    );
    const gathered = new Gathered(stage);
    try {
      for (const input of await fetchedInputs(host, request.inputs, scratch, request.network)) {
        stage.exec('BEGIN');
        await readInput(host, input, gathered);
        stage.exec('COMMIT');
      }
      const unread = gathered.unreadRecords;
      if (unread.length > 0 && request.skipUnreadable !== true) {
        throw unreadableError(unread);
      }
      const plain = join(scratch, 'vulns.sqlite');
      const database = new DatabaseSync(plain);
      const counts = write(database, gathered, stage, request.taken);
      database.close();
      const whole = join(scratch, 'whole.sqlite');
      await replaceFile(whole, sealed(plain).open());
      await use(whole);
      return { ...counts, passedOver: gathered.passedOverCount, unread };
    } finally {
      stage.close();
    }
  });
}

class Gathered implements InputReader {
  readonly unreadRecords: { where: string; why: string }[] = [];
  passedOverCount = 0;
  /** Tables that an input brought, in place of those that tcf carries. */
  given = 0;
  readonly documents: Map<string, string> = new Map(
    Object.entries({ 'cuda-releases': cudaReleases, llvm: llvmFacts, nvidia: nvidiaFacts }).map(
      ([name, value]) => [name, JSON.stringify(value)],
    ),
  );
  readonly archives: ArchiveIndex[] = [];
  readonly #insert: ReturnType<DatabaseSync['prepare']>;

  constructor(stage: DatabaseSync) {
    this.#insert = stage.prepare('INSERT INTO raw VALUES (?, ?, ?)');
  }

  record(record: AdvisoryRecord): void {
    this.#insert.run(record.id, record.modified ?? record.published ?? '', JSON.stringify(record));
  }

  unread(where: string, why: string): void {
    this.unreadRecords.push({ where, why });
  }

  passedOver(): void {
    this.passedOverCount += 1;
  }

  document(name: string, value: unknown): void {
    this.documents.set(name, JSON.stringify(value));
    this.given += 1;
  }

  archive(index: ArchiveIndex): void {
    this.archives.push(index);
  }
}

function unreadableError(unread: BuiltDatabase['unread']): Error {
  const [first] = unread;
  return cannotTell(
    'db.unreadable',
    `cannot read ${plural(unread.length, 'record')}; the first is ${quoted(first?.where ?? '')}: ${first?.why}`,
    {
      hint: 'take them out, or build with --skip-unreadable: then every answer says that they are missing',
    },
  );
}

interface SourceCount {
  records: number;
  unread: number;
  date?: string;
}

function write(
  database: DatabaseSync,
  gathered: Gathered,
  stage: DatabaseSync,
  taken: string | undefined,
): Pick<BuiltDatabase, 'records' | 'withdrawn'> {
  database.exec(
    'PRAGMA page_size = 4096; PRAGMA encoding = "UTF-8"; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;',
  );
  database.exec(tables);
  const sources = new Map<string, SourceCount>();
  let counts = { records: 0, withdrawn: 0 };
  inTransaction(database, () => {
    counts = writeAdvisories(database, stage, sources);
    writeArchives(database, gathered.archives, sources);
    writeRest(database, gathered, taken, sources);
  });
  if (counts.records === 0 && gathered.archives.length === 0 && gathered.given === 0) {
    throw cannotTell('db.empty', 'the inputs hold no record at all');
  }
  return counts;
}

/**
 * Of records with one id the newest counts; of equally new ones the first by its text, so that the order of
 * inputs is nothing.
 */
function writeAdvisories(
  database: DatabaseSync,
  stage: DatabaseSync,
  sources: Map<string, SourceCount>,
): Pick<BuiltDatabase, 'records' | 'withdrawn'> {
  stage.exec('CREATE INDEX raw_id ON raw (id, modified DESC, body)');
  stage.exec('CREATE TABLE kept (place TEXT, id TEXT, body TEXT)');
  const keep = stage.prepare('INSERT INTO kept VALUES (?, ?, ?)');
  let withdrawn = 0;
  let last: string | undefined;
  for (const row of stage.prepare('SELECT body FROM raw ORDER BY id, modified DESC, body').iterate()) {
    const body = String(row['body']);
    const record = JSON.parse(body) as AdvisoryRecord;
    if (record.id === last) {
      continue;
    }
    last = record.id;
    if (record.withdrawn !== undefined) {
      withdrawn += 1;
      continue;
    }
    // What is said of one package lies together, so that one question reads few pages.
    const [first] = record.affected;
    const place = first === undefined ? '' : `${first.ecosystem}\n${packageKey(first.ecosystem, first.name)}`;
    keep.run(place, record.id, body);
  }
  const records = writeKept(database, stage, sources);
  const target = database.prepare('INSERT INTO affected VALUES (?, ?, ?, ?, ?)');
  const ecosystems = new Set<string>();
  const rows = stage.prepare('SELECT * FROM entry ORDER BY ecosystem, name, advisory, place').iterate();
  for (const row of rows) {
    const { advisory, body, ecosystem, name, place } = row;
    ecosystems.add(String(ecosystem));
    target.run(ecosystem as string, name as string, advisory as number, place as number, body as string);
  }
  const known = database.prepare('INSERT INTO ecosystem VALUES (?)');
  for (const ecosystem of [...ecosystems].sort(byCodeUnit)) {
    known.run(ecosystem);
  }
  return { records, withdrawn };
}

/** The records in the order of their packages, and the entries about them beside for sorting. */
function writeKept(database: DatabaseSync, stage: DatabaseSync, sources: Map<string, SourceCount>): number {
  const insert = database.prepare('INSERT INTO advisory VALUES (?, ?, ?)');
  stage.exec('CREATE TABLE entry (ecosystem TEXT, name TEXT, advisory INTEGER, place INTEGER, body TEXT)');
  const entry = stage.prepare('INSERT INTO entry VALUES (?, ?, ?, ?, ?)');
  let records = 0;
  for (const row of stage.prepare('SELECT body FROM kept ORDER BY place, id').iterate()) {
    const record = JSON.parse(String(row['body'])) as AdvisoryRecord;
    records += 1;
    const { affected, ...advisory } = record;
    insert.run(records, record.id, JSON.stringify(advisory));
    count(sources, /^[A-Za-z]+/.exec(record.id)?.[0] ?? record.id, record.modified ?? record.published);
    for (const [place, { ecosystem, name, ...rest }] of affected.entries()) {
      const body = { ...rest, ...sortedVersions(rest.versions, ordersOf(ecosystem).ecosystem) };
      entry.run(ecosystem, packageKey(ecosystem, name), records, place, JSON.stringify(body));
    }
  }
  return records;
}

function count(sources: Map<string, SourceCount>, name: string, date: string | undefined): void {
  const before = sources.get(name) ?? { records: 0, unread: 0 };
  before.records += 1;
  if (date !== undefined && date > (before.date ?? '')) {
    before.date = date;
  }
  sources.set(name, before);
}

function writeArchives(
  database: DatabaseSync,
  archives: readonly ArchiveIndex[],
  sources: Map<string, SourceCount>,
): void {
  const whole = new Map<string, boolean>();
  const rows = new Map<string, readonly [string, string, string, string, string, string, string]>();
  for (const index of archives) {
    const { architecture, date, isMain, label, packages, release, suite } = index;
    for (const one of [architecture, 'all']) {
      whole.set(`${release} ${one}`, isMain || whole.get(`${release} ${one}`) === true);
    }
    for (const { architecture: own, name, version } of packages) {
      rows.set([release, name, own, suite, version].join('\n'), [
        release,
        name,
        own,
        suite,
        version,
        label,
        date,
      ]);
    }
    const source = `${label} ${suite}`;
    const before = sources.get(source);
    sources.set(source, { records: (before?.records ?? 0) + packages.length, unread: 0, date });
  }
  const offered = database.prepare('INSERT INTO offered VALUES (?, ?, ?, ?, ?, ?, ?)');
  for (const [, row] of [...rows].sort(([a], [b]) => byCodeUnit(a, b))) {
    offered.run(...row);
  }
  const archive = database.prepare('INSERT INTO archive VALUES (?, ?, ?)');
  for (const [key, isWhole] of [...whole].sort(([a], [b]) => byCodeUnit(a, b))) {
    const [release = '', architecture = ''] = key.split(' ');
    archive.run(release, architecture, isWhole ? 1 : 0);
  }
}

function writeRest(
  database: DatabaseSync,
  { documents, unreadRecords }: Gathered,
  taken: string | undefined,
  sources: Map<string, SourceCount>,
): void {
  const document = database.prepare('INSERT INTO document VALUES (?, ?)');
  for (const [name, body] of [...documents].sort(([a], [b]) => byCodeUnit(a, b))) {
    document.run(name, body);
  }
  const facts = JSON.parse(documents.get('nvidia') ?? '[]') as readonly { readonly published: string }[];
  for (const { published } of facts) {
    count(sources, 'NVIDIA', `${published}T00:00:00Z`);
  }
  const disputed = JSON.parse(documents.get('llvm') ?? '[]') as readonly unknown[];
  sources.set('LLVM', { records: disputed.length, unread: 0 });
  if (unreadRecords.length > 0) {
    sources.set('(not read)', { records: 0, unread: unreadRecords.length });
  }
  const source = database.prepare('INSERT INTO source VALUES (?, ?, ?, ?)');
  for (const [name, { date, records, unread }] of [...sources].sort(([a], [b]) => byCodeUnit(a, b))) {
    source.run(name, records, unread, date ?? null);
  }
  const meta = database.prepare('INSERT INTO meta VALUES (?, ?)');
  meta.run('edition', edition);
  if (taken !== undefined) {
    meta.run('taken', taken);
  }
}

export function namedUnread({
  unread,
}: BuiltDatabase): readonly { readonly where: string; readonly why: string }[] {
  return unread.slice(0, maxNamed);
}
