import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Host } from './host.ts';

/** Where tcf keeps what it can fetch again (XDG Base Directory Specification). */
export function cacheFolder(host: Host): string {
  return join(absolute(host.env['XDG_CACHE_HOME']) ?? join(host.home, '.cache'), 'tcf');
}

/** Where tcf keeps what is worth keeping between calls (XDG Base Directory Specification). */
export function stateFolder(host: Host): string {
  return join(absolute(host.env['XDG_STATE_HOME']) ?? join(host.home, '.local/state'), 'tcf');
}

/** The specification has relative paths ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

/**
 * Makes sure that a folder exists which nobody else writes to: what lies in it was put there by this user.
 *
 * @throws TcfError `folder.shared` (exit 2) where it belongs to somebody else, can be written by others or is no folder; the system's error where it
 *   cannot be made.
 */
export function openPrivateFolder(host: Host, path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  const why = !stat.isDirectory()
    ? 'is no folder'
    : stat.uid !== host.uid && host.uid >= 0
      ? `belongs to user ${stat.uid}`
      : (stat.mode & 0o022) !== 0
        ? 'can be written by others'
        : undefined;
  if (why === undefined) return;
  throw cannotTell('folder.shared', `${quoted(path)} ${why}, so what lies in it proves nothing`, {
    hint: `remove it, or make it yours alone: chown -R "$USER" and chmod -R go-w`,
  });
}
