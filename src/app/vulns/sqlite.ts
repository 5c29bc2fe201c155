import type { DatabaseSync } from 'node:sqlite';
import { cannotTell, reasonOf, TcfError } from '../../base/error.ts';
import type { Host } from '../../system/host.ts';

/**
 * Node's SQLite, which only verbs about vulnerabilities load. Node 22 calls it experimental, and nobody needs
 * to hear that.
 */
export async function loadSqlite(host: Pick<Host, 'quietly'>): Promise<typeof import('node:sqlite')> {
  const load = async () => await import('node:sqlite');
  return await (host.quietly?.(load) ?? load());
}

/**
 * What SQLite says of a file that is not whole, or not ours, as an answer.
 *
 * @throws TcfError `db.damaged` (exit 2).
 */
export function readingDatabase<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TcfError) {
      throw error;
    }
    throw damaged(what, reasonOf(error), error);
  }
}

export function damaged(what: string, why: string, cause?: unknown): TcfError {
  return cannotTell('db.damaged', `${what} is damaged: ${why}`, {
    hint: 'get it again with tcf db pull, or build it with tcf db build',
    cause,
  });
}

/** Runs statements as one transaction, so that each insert costs no write to disk. */
export function inTransaction(database: DatabaseSync, run: () => void): void {
  database.exec('BEGIN');
  run();
  database.exec('COMMIT');
}
