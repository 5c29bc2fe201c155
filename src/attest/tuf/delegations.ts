import { createHash } from 'node:crypto';
import type { Shape } from '../../base/shape.ts';
import { quoted } from '../../base/text.ts';
import { maxKeys, type RoleKeys, readKeys, readRole } from './roles.ts';

/** A role to which a targets role leaves some of the targets (TUF 1.0.34 section 4.5). */
export interface Delegation extends RoleKeys {
  /** Its metadata is `NAME.json` in the snapshot. */
  readonly name: string;
  /** Whether no role after it is asked for a target that it speaks of. */
  readonly terminating: boolean;
  readonly speaksOf: (target: string) => boolean;
}

const topLevel: ReadonlySet<string> = new Set(['root', 'snapshot', 'targets', 'timestamp']);
/** A pattern is compared with names of a few dozen characters. */
const maxPattern = 1000;
const maxPatterns = 1000;

/**
 * Reads the member `delegations` of targets metadata; none where it is absent, and none of `succinct_roles` (TAP 15),
 * which tcf does not follow: a target there is not found, which is never a yes.
 */
export function readDelegations(shape: Shape | undefined): readonly Delegation[] {
  const roles = shape?.optional('roles');
  if (shape === undefined || roles === undefined) {
    return [];
  }
  const keys = readKeys(shape.get('keys'));
  const seen = new Set<string>();
  return roles.list(maxKeys).map((role) => {
    const name = role.get('name');
    if (name.string(200) === '' || topLevel.has(name.string())) {
      throw name.wrong(`is ${quoted(name.string())}, which no delegated role can be called`);
    }
    if (seen.has(name.string())) {
      throw name.wrong('stands twice');
    }
    seen.add(name.string());
    return {
      ...readRole(role, keys),
      name: name.string(),
      terminating: role.get('terminating').boolean(),
      speaksOf: readPaths(role),
    };
  });
}

function readPaths(role: Shape): (target: string) => boolean {
  const [paths, prefixes] = [role.optional('paths'), role.optional('path_hash_prefixes')];
  if ((paths === undefined) === (prefixes === undefined)) {
    throw role.wrong('has not exactly one of paths and path_hash_prefixes');
  }
  const texts = (paths ?? prefixes)?.list(maxPatterns).map((each) => each.string(maxPattern)) ?? [];
  return paths === undefined
    ? (target) => {
        const hash = createHash('sha256').update(target).digest('hex');
        return texts.some((prefix) => hash.startsWith(prefix));
      }
    : (target) => texts.some((pattern) => matchesPath(pattern, target));
}

/** `*` and `?` stand for what is no slash; so pattern and name have as many parts. */
function matchesPath(pattern: string, target: string): boolean {
  const [patterns, names] = [pattern.split('/'), target.split('/')];
  return patterns.length === names.length && patterns.every((each, at) => matchesPart(each, names[at] ?? ''));
}

/** In time of the product of both lengths: after a mismatch only the last star takes one more. */
function matchesPart(pattern: string, name: string): boolean {
  let [at, star, kept] = [0, -1, 0];
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === '*') {
      star = at;
      at += 1;
      kept = index;
    } else if (pattern[at] === '?' || (at < pattern.length && pattern[at] === name[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      kept += 1;
      index = kept;
    } else {
      return false;
    }
  }
  return [...pattern.slice(at)].every((rest) => rest === '*');
}

/** As much of targets metadata as a search asks. */
interface Listing<Info> {
  readonly targets: ReadonlyMap<string, Info>;
  readonly delegations: readonly Delegation[];
}

/** Roles that one search asks at most; python-tuf and go-tuf take 32. */
const maxRoles = 32;

/**
 * Looks for a target from the top-level role on, depth first in the order of the delegations (5.6.7). `roleOf` brings
 * the metadata of a delegated role, verified against this very delegation: a role that two others delegate to is asked
 * once, for the first of them.
 *
 * @returns what the first role that lists it says; `undefined` where none does.
 * @throws TcfError what `roleOf` throws.
 */
export function* searchTarget<Role extends Listing<Info>, Info>(
  top: Role,
  name: string,
): Generator<Delegation, Info | undefined, Role> {
  const waiting: (Delegation | undefined)[] = [undefined];
  const asked = new Set<string>();
  while (waiting.length > 0 && asked.size <= maxRoles) {
    const delegation = waiting.pop();
    const key = delegation?.name ?? '';
    if (asked.has(key)) {
      continue;
    }
    asked.add(key);
    const role = delegation === undefined ? top : yield delegation;
    const info = role.targets.get(name);
    if (info !== undefined) {
      return info;
    }
    const speaking = role.delegations.filter(({ speaksOf }) => speaksOf(name));
    const end = speaking.findIndex(({ terminating }) => terminating);
    if (end >= 0) {
      waiting.length = 0;
    }
    waiting.push(...speaking.slice(0, end < 0 ? speaking.length : end + 1).reverse());
  }
  return undefined;
}
