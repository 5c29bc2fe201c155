import { resolve } from 'node:path';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';

/** Where people want inputs to be asked for, in place of where the clients of the machine would ask. */
export interface Mirrors {
  /** Root of an archive or index, without a slash at its end: a URL, or the path of a folder. */
  rootOf(name: string): string | undefined;
  /** A URL of a lock, at the mirror. */
  rewrite(url: string): string;
}

const names = ['debian', 'debian-security', 'python'];

/**
 * Reads `NAME=PLACE`, of an archive or index by its name, and `URL=URL`, of addresses that stand in a lock.
 *
 * @throws TcfError `input.mirror` (exit 3).
 */
export function parseMirrors(texts: readonly string[], cwd: string): Mirrors {
  const roots = new Map<string, string>();
  const rules: (readonly [from: string, to: string])[] = [];
  for (const text of texts) {
    const at = text.indexOf('=');
    const from = text.slice(0, Math.max(0, at));
    const to = toRoot(text.slice(at + 1), cwd);
    if (to !== undefined && (names.includes(from) || /^rpm:[A-Za-z0-9][\w.-]*$/.test(from))) {
      roots.set(from, to);
    } else if (to !== undefined && /^https?:\/\//.test(from) && URL.canParse(from)) {
      rules.push([from, to]);
    } else {
      throw askedWrongly('input.mirror', `cannot read the mirror ${quoted(text)}`, {
        hint: `write NAME=PLACE with one of ${names.join(', ')} and rpm:REPOSITORY, or URL=URL for what a lock has by its address; a place is https:// or a folder (/srv/mirror, ./mirror)`,
      });
    }
  }
  return {
    rootOf: (name) => roots.get(name),
    rewrite: (url) =>
      rules.reduce((now, [from, to]) => (now.startsWith(from) ? to + now.slice(from.length) : now), url),
  };
}

/**
 * Where a repository of rpm is. dnf keeps lists of mirrors that change by the hour, so a place is named.
 *
 * @throws TcfError `input.archive` (exit 2).
 */
export function rpmRoot(mirrors: Mirrors, repository: string): string {
  const root = mirrors.rootOf(`rpm:${repository}`);
  if (root === undefined) {
    throw cannotTell('input.archive', `there is no address for the repository ${quoted(repository)}`, {
      hint: `name it: --mirror rpm:${repository}=https://mirror.example/9-stream/BaseOS/x86_64/os, or a folder`,
    });
  }
  return root;
}

/** A URL as it is, a path as one. */
function toRoot(place: string, cwd: string): string | undefined {
  if (place.startsWith('file:///')) {
    return withoutSlash(decodeURIComponent(place.slice('file://'.length)));
  }
  if (/^https?:\/\//.test(place)) {
    return URL.canParse(place) ? withoutSlash(place) : undefined;
  }
  return /^\.{0,2}\//.test(place) ? resolve(cwd, place) : undefined;
}

export const withoutSlash = (place: string): string => place.replace(/\/+$/, '');
