import { byCodeUnit } from '../../base/text.ts';
import type { Lock } from './lock.ts';

/** One input that another lock has otherwise. */
export interface LockChange {
  readonly kind: 'deb' | 'file' | 'llvm' | 'rpm' | 'wheel';
  readonly name: string;
  readonly before?: string;
  readonly after?: string;
  /** The version stayed, and the bytes are others. */
  readonly isRebuilt: boolean;
}

interface Pinned {
  readonly kind: LockChange['kind'];
  readonly name: string;
  readonly version: string;
  readonly content: string;
}

/** What one lock has otherwise than another, sorted by kind and name. */
export function lockChanges(before: Lock, after: Lock): readonly LockChange[] {
  const old = new Map(pinnedIn(before).map((one) => [`${one.kind} ${one.name}`, one]));
  const now = new Map(pinnedIn(after).map((one) => [`${one.kind} ${one.name}`, one]));
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort(byCodeUnit);
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    const one = is ?? was;
    if (one === undefined || (was?.version === is?.version && was?.content === is?.content)) {
      return [];
    }
    return [
      {
        kind: one.kind,
        name: one.name,
        ...(was === undefined ? {} : { before: was.version }),
        ...(is === undefined ? {} : { after: is.version }),
        isRebuilt: was !== undefined && was.version === is?.version,
      },
    ];
  });
}

function pinnedIn({ debian, files = [], llvm = [], python, rpm }: Lock): readonly Pinned[] {
  return [
    ...(debian?.packages ?? []).map(({ name, sha256, version }) => ({
      kind: 'deb' as const,
      ...{ name, version, content: sha256 },
    })),
    ...(rpm?.packages ?? []).map(({ name, sha256, version }) => ({
      kind: 'rpm' as const,
      ...{ name, version, content: sha256 },
    })),
    ...(python?.wheels ?? []).map(({ name, sha256, version }) => ({
      kind: 'wheel' as const,
      ...{ name, version, content: sha256 },
    })),
    ...llvm.map(({ commit, in: where, role, sha256 = '' }) => ({
      kind: 'llvm' as const,
      ...{ name: where === 'wheel' ? role : `${role} prebuilt`, version: commit, content: sha256 },
    })),
    ...files.map(({ name, sha256, version = '' }) => ({
      kind: 'file' as const,
      name,
      version,
      content: sha256,
    })),
  ];
}
