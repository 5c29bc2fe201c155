import { quoted } from '../../base/text.ts';
import { fileExists } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { checkDatabaseFile } from './database-file.ts';
import { openDatabase } from './open-database.ts';
import { noDatabase } from './place.ts';
import { damaged, loadSqlite, readingDatabase } from './sqlite.ts';

/**
 * Reads all of a database: its checksum, the structure of its pages, and each body as JSON.
 *
 * @throws TcfError `db.damaged`, `db.edition`, `db.none` (exit 2).
 */
export async function verifyDatabase(
  host: Host,
  path: string,
): Promise<{ readonly digest: string; readonly records: number }> {
  if (!fileExists(host, path)) {
    throw noDatabase();
  }
  const what = `the database ${quoted(path)}`;
  const { digest } = checkDatabaseFile(path, what);
  (await openDatabase(host, path))[Symbol.dispose]();
  const { DatabaseSync } = await loadSqlite(host);
  return readingDatabase(what, () => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const found = database.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
      if (found !== 'ok') {
        throw damaged(what, String(found));
      }
      for (const table of ['advisory', 'affected', 'document']) {
        for (const { body } of database.prepare(`SELECT body FROM ${table}`).iterate()) {
          JSON.parse(String(body));
        }
      }
      const records = Number(database.prepare('SELECT count(*) AS records FROM advisory').get()?.['records']);
      return { digest, records };
    } finally {
      database.close();
    }
  });
}
