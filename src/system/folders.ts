import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Host } from './host.ts';
import { isOpen } from './owners.ts';

/** The part of a host that says where a user's files lie. */
export type Surroundings = Pick<Host, 'env' | 'home'>;

/** The folders of the XDG Base Directory Specification that lie in the home, by their variable. */
const defaults = {
  XDG_CACHE_HOME: '.cache',
  XDG_CONFIG_HOME: '.config',
  XDG_DATA_HOME: '.local/share',
  XDG_STATE_HOME: '.local/state',
} as const;

/**
 * A folder of the user for files of one kind. The specification has relative paths ignored, and an empty
 * variable counts as unset: a project that is the current folder must not speak as the user.
 */
export function userFolder({ env, home }: Surroundings, kind: keyof typeof defaults): string {
  return absolute(env[kind]) ?? join(home, defaults[kind]);
}

/**
 * `XDG_RUNTIME_DIR`, for sockets and logins of one session; the specification has no other place for them.
 */
export function runtimeFolder({ env }: Pick<Host, 'env'>): string | undefined {
  return absolute(env['XDG_RUNTIME_DIR']);
}

/**
 * The home of the user who runs tcf: `HOME`, else the one of the password database, else `/`. Never relative.
 */
export function homeFolder(env: Host['env']): string {
  return absolute(env['HOME']) ?? absolute(databaseHome()) ?? '/';
}

function databaseHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    // An arbitrary uid, as container platforms choose it, has no entry.
    return undefined;
  }
}

/** A value of the environment that is a path which does not depend on the current folder. */
export function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}

/** Where a user writes policies and profiles. */
export function configFolder(host: Surroundings): string {
  return join(userFolder(host, 'XDG_CONFIG_HOME'), 'tcf');
}

/** Where tcf keeps what it can fetch again. */
export function cacheFolder(host: Surroundings): string {
  return join(userFolder(host, 'XDG_CACHE_HOME'), 'tcf');
}

/** Where tcf keeps what is worth keeping between calls. */
export function stateFolder(host: Surroundings): string {
  return join(userFolder(host, 'XDG_STATE_HOME'), 'tcf');
}

/**
 * Makes sure that a folder exists which nobody else writes to: what lies in it was put there by this user
 * (A-108).
 *
 * @throws TcfError `folder.shared` (exit 2) where it belongs to somebody else, can be written by others or is
 *   not a folder; the system's error
 *   where it cannot be made.
 */
export function openPrivateFolder(host: Host, path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stat = lstatSync(path);
  const why = whyShared(stat, host.uid);
  if (why === undefined) {
    return;
  }
  throw cannotTell('folder.shared', `${quoted(path)} ${why}, so what lies in it proves nothing`, {
    hint: `remove it, or make it yours alone: chown -R "$USER" and chmod -R go-w`,
  });
}

function whyShared(stat: Stats, uid: number): string | undefined {
  if (!stat.isDirectory()) {
    return 'is not a folder';
  }
  if (stat.uid !== uid && uid >= 0) {
    return `belongs to user ${stat.uid}`;
  }
  return isOpen(stat) ? 'can be written by others' : undefined;
}
