import { cannotTell } from '../../base/error.ts';
import type { Shape } from '../../base/shape.ts';
import { type TufKey, toTufKey } from './keys.ts';

/** Whose signatures a role needs, and how many of them. */
export interface RoleKeys {
  /** By key id. */
  readonly keys: ReadonlyMap<string, TufKey>;
  /** From 1. */
  readonly threshold: number;
}

/** The public instance has 5 keys in a role, 6 in all. */
export const maxKeys = 256;

/** The keys of root or targets metadata by their ids; `undefined` for one of a kind that tcf does not know. */
export function readKeys(keys: Shape): ReadonlyMap<string, TufKey | undefined> {
  return new Map(
    membersOf(keys, maxKeys, (key) =>
      toTufKey({
        keytype: key.get('keytype').string(100),
        scheme: key.get('scheme').string(100),
        public: key.get('keyval').get('public').string(16_384),
      }),
    ),
  );
}

/** The key ids and the threshold of a role, with the keys that stand beside it. */
export function readRole(role: Shape, known: ReadonlyMap<string, TufKey | undefined>): RoleKeys {
  const threshold = role.get('threshold');
  // A threshold of nothing is met by nobody's signature (CVE-2026-23992).
  if (threshold.whole() === 0) {
    throw threshold.wrong('is 0: anybody would meet it');
  }
  const keys = new Map<string, TufKey>();
  for (const id of role.get('keyids').list(maxKeys)) {
    const key = known.get(id.string(200));
    if (!known.has(id.string())) {
      throw id.wrong('names a key that is not there');
    }
    if (key !== undefined) {
      keys.set(id.string(), key);
    }
  }
  return { keys, threshold: threshold.whole() };
}

/** The members of an object, each read. @throws TcfError `tuf.malformed` (exit 2) where they are more than `limit`. */
export function membersOf<T>(
  shape: Shape,
  limit: number,
  read: (member: Shape) => T,
): readonly (readonly [string, T])[] {
  const keys = Object.keys(shape.record());
  if (keys.length > limit) {
    throw cannotTell('tuf.malformed', `${shape.path} has more than ${limit} entries`);
  }
  return keys.map((key) => [key, read(shape.get(key))]);
}
