import type { DatabaseSync } from 'node:sqlite';
import { cannotTell } from '../../base/error.ts';
import { parseJson } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import type { Host } from '../../system/host.ts';
import type { Advisory, AffectedPackage } from '../../vulns/advisory.ts';
import type { OfferedPackage } from '../../vulns/archive.ts';
import type { DataSource, FoundAdvisory, VulnerabilityData } from '../../vulns/data.ts';
import { parseLlvmFacts } from '../../vulns/llvm.ts';
import { parseCudaReleases, parseNvidiaFacts } from '../../vulns/nvidia.ts';
import { checkDatabaseFile, type FileFacts } from './database-file.ts';
import { loadSqlite, readingDatabase } from './sqlite.ts';
import { edition } from './tables.ts';

/** A database that was read through, and answers. */
export interface OpenedDatabase extends Disposable {
  readonly data: VulnerabilityData;
  readonly file: FileFacts;
  /** RFC 3339: when the sources were taken, by the word of whoever built it. */
  readonly taken?: string;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Opens a database, after its bytes were proven whole.
 *
 * @throws TcfError `file.unreadable` (exit 3), `db.damaged`, `db.edition` (exit 2).
 */
export async function openDatabase(host: Host, path: string): Promise<OpenedDatabase> {
  const what = `the database ${quoted(path)}`;
  const file = checkDatabaseFile(path, what);
  const { DatabaseSync } = await loadSqlite(host);
  return readingDatabase(what, () => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return opened(database, file, what);
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function opened(database: DatabaseSync, file: FileFacts, what: string): OpenedDatabase {
  const all = (sql: string): readonly Row[] => database.prepare(sql).all() as readonly Row[];
  const meta = new Map(
    all('SELECT name, value FROM meta').map(({ name, value }) => [text(name), text(value)]),
  );
  if (meta.get('edition') !== edition) {
    throw cannotTell(
      'db.edition',
      `${what} is of edition ${quoted(meta.get('edition') ?? 'none')}, and this tcf reads ${edition}`,
      {
        hint: 'build or pull one that fits this tcf',
      },
    );
  }
  const documents = new Map(
    all('SELECT name, body FROM document').map(({ body, name }) => [text(name), text(body)]),
  );
  const document = (name: string): unknown => parseJson(documents.get(name) ?? '[]', `${name} in ${what}`);
  const taken = meta.get('taken');
  const facts = { digest: file.digest, sources: all('SELECT * FROM source ORDER BY name').map(toSource) };
  const releases = documents.has('cuda-releases')
    ? parseCudaReleases(document('cuda-releases'), what)
    : new Map();
  return {
    file,
    ...(taken === undefined ? {} : { taken }),
    data: {
      facts,
      ecosystems: all('SELECT name FROM ecosystem ORDER BY name').map(({ name }) => text(name)),
      archives: new Map(
        all('SELECT * FROM archive').map(({ architecture, release, whole }) => [
          `${text(release)} ${text(architecture)}`,
          { whole: whole === 1 },
        ]),
      ),
      find: finder(database, what),
      offered: offers(database, what),
      nvidia: documents.has('nvidia')
        ? { facts: parseNvidiaFacts(document('nvidia'), what), releases }
        : undefined,
      llvm: documents.has('llvm') ? parseLlvmFacts(document('llvm'), what) : [],
    },
    [Symbol.dispose]: () => database.close(),
  };
}

function text(value: unknown): string {
  if (typeof value !== 'string') {
    throw new TypeError('a column has another type than it must have');
  }
  return value;
}

function toSource({ date, name, records, unread }: Row): DataSource {
  return {
    name: text(name),
    records: Number(records),
    unread: Number(unread),
    ...(date === null || date === undefined ? {} : { date: text(date) }),
  };
}

/** Packages of one source ask for the same, so each answer is made once. */
function finder(database: DatabaseSync, what: string): VulnerabilityData['find'] {
  const query = database.prepare(
    'SELECT a.number AS number, a.body AS advisory, f.body AS affected FROM affected f JOIN advisory a ON a.number = f.advisory WHERE f.ecosystem = ? AND f.name = ? ORDER BY f.advisory, f.place',
  );
  const known = new Map<string, readonly FoundAdvisory[]>();
  const advisories = new Map<unknown, Advisory>();
  return (ecosystem, name) => {
    const key = `${ecosystem}\n${name}`;
    const before = known.get(key);
    if (before !== undefined) {
      return before;
    }
    const found = readingDatabase(what, () =>
      (query.all(ecosystem, name) as readonly Row[]).map((row): FoundAdvisory => {
        const advisory = advisories.get(row['number']) ?? (JSON.parse(text(row['advisory'])) as Advisory);
        advisories.set(row['number'], advisory);
        const affected = JSON.parse(text(row['affected'])) as Omit<AffectedPackage, 'ecosystem' | 'name'>;
        return { advisory, affected: { ...affected, ecosystem, name } };
      }),
    );
    known.set(key, found);
    return found;
  };
}

function offers(database: DatabaseSync, what: string): VulnerabilityData['offered'] {
  const query = database.prepare(
    'SELECT version, suite, label, date FROM offered WHERE release = ? AND name = ? AND architecture = ?',
  );
  return (release, name, architecture) =>
    readingDatabase(what, () =>
      (query.all(release, name, architecture) as readonly Row[]).map(
        (row): OfferedPackage => ({
          version: text(row['version']),
          suite: text(row['suite']),
          label: text(row['label']),
          date: text(row['date']),
        }),
      ),
    );
}
