import { createReadStream, lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compact } from '../../base/compact.ts';
import { cannotTell, TcfError } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { replaceFile } from '../../system/atomic.ts';
import { fileExists, readPlainFile } from '../../system/files.ts';
import { cacheFolder, openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { checkDatabaseFile, type FileFacts } from './database-file.ts';
import { type OpenedDatabase, openDatabase } from './open-database.ts';

/** How the database that is kept came here. */
export interface DatabaseOrigin {
  /** Of the file that is meant. */
  readonly digest: string;
  /** `registry/repository@digest`, where a policy allowed it. */
  readonly image?: string;
  /** RFC 3339, when it was put there. */
  readonly at: string;
}

/** Which database answers: a file that was named, or the one that is kept. */
export interface UsedDatabase extends OpenedDatabase {
  readonly path: string;
  readonly origin?: DatabaseOrigin;
}

function folderOf(host: Host): string {
  return join(cacheFolder(host), 'vulns');
}

/** Where the database of the user is kept. */
export function databasePath(host: Host): string {
  return join(folderOf(host), 'vulns.sqlite');
}

/**
 * The database that answers questions: `file` where it is named, else the one that is kept.
 *
 * @throws TcfError `db.none`, `db.damaged`, `db.edition` (exit 2), `file.unreadable` (exit 3).
 */
export async function useDatabase(host: Host, file?: string): Promise<UsedDatabase> {
  if (file !== undefined) {
    return { ...(await openDatabase(host, resolve(host.cwd, file))), path: file };
  }
  const path = databasePath(host);
  if (!fileExists(host, path)) {
    throw noDatabase();
  }
  const opened = await openDatabase(host, path);
  const origin = await readOrigin(host);
  // What describes another file says nothing of this one.
  return { ...opened, path, ...(origin?.digest === opened.file.digest ? { origin } : {}) };
}

export function noDatabase(): TcfError {
  return cannotTell('db.none', 'there is no database of vulnerabilities', {
    hint: 'get one with tcf db pull REFERENCE, or make one with tcf db build INPUT',
  });
}

/**
 * Puts a database in the place of the one that is kept, after it was proven whole and opened once. Until the
 * last step the old one stays and answers.
 *
 * @throws TcfError `db.damaged`, `db.edition`, `folder.shared` (exit 2).
 */
export async function keepDatabase(host: Host, path: string, image?: string): Promise<FileFacts> {
  using opened = await openDatabase(host, path);
  openPrivateFolder(host, folderOf(host));
  await replaceFile(databasePath(host), createReadStream(path), 0o600);
  const kept = checkDatabaseFile(databasePath(host), 'the database that was kept');
  if (kept.digest !== opened.file.digest) {
    throw cannotTell('db.damaged', `${quoted(path)} changed while it was read`, { hint: 'try again' });
  }
  const origin: DatabaseOrigin = compact({ digest: kept.digest, image, at: host.now().toISOString() });
  await replaceFile(originPath(host), `${JSON.stringify(origin)}\n`, 0o600);
  return kept;
}

function originPath(host: Host): string {
  return join(folderOf(host), 'origin.json');
}

async function readOrigin(host: Host): Promise<DatabaseOrigin | undefined> {
  if (lstatSync(originPath(host), { throwIfNoEntry: false }) === undefined) {
    return undefined;
  }
  try {
    const bytes = await readPlainFile(host, originPath(host), jsonLimits.small.maxBytes, 'the origin');
    const shape = new Shape(parseJson(bytes, 'the origin'), 'the origin');
    return compact({
      digest: shape.get('digest').string(200),
      image: shape.optional('image')?.string(2000),
      at: shape.get('at').string(40),
    });
  } catch (error) {
    // It only says where the file came from: without it nothing is claimed.
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}
