import { byCodeUnit } from '../../base/text.ts';
import { isVersion, satisfiesApk } from '../../bom/versions/apk.ts';
import type { Apk } from './installed.ts';

interface Relation {
  readonly name: string;
  readonly operator: string;
  readonly version: string;
  /** `!name`: must not be there. */
  readonly conflict: boolean;
}

/** The longest field seen (a meta package of a desktop) has 12,000 characters. */
const maxFieldLength = 1024 * 1024;

/**
 * `python3~3.12 so:libc.musl-x86_64.so.1 !old` (apk-world(5)); `undefined` where a part is not as it should
 * be. `><` compares the checksum of the package instead of its version.
 */
export function parseApkRelations(text: string): readonly Relation[] | undefined {
  if (text.length > maxFieldLength) {
    return undefined;
  }
  const relations: Relation[] = [];
  for (const word of text.split(/[ \n]+/)) {
    if (word === '') {
      continue;
    }
    const match = /^(!?)([^<>=~!@]{1,512})(?:@[^<>=~]*)?(?:([<>=~]+)(.+))?$/.exec(word);
    if (match === null) {
      return undefined;
    }
    const [, mark = '', name = '', operator = '', version = ''] = match;
    if (operator !== '' && operator !== '><' && !isVersion(version)) {
      return undefined;
    }
    relations.push({ name, operator, version, conflict: mark === '!' });
  }
  return relations;
}

interface Provider {
  readonly apk: Apk;
  /**
   * Absent where the name is provided in no version; apk then takes it for every version that is asked for.
   */
  readonly version?: string;
}

/**
 * Comparisons of a relation with what is provided. A system of 1,000 packages takes 10,000; a hostile one
 * would take hours.
 */
const maxComparisons = 5_000_000;

/**
 * What satisfies each dependency of a package; `undefined` where its field cannot be read, and where finding
 * out takes too long.
 */
export function apkResolver(apks: readonly Apk[]): (apk: Apk) => readonly Apk[] | undefined {
  const providers = new Map<string, Provider[]>();
  const provide = (name: string, provider: Provider): void => {
    const list = providers.get(name);
    if (list === undefined) {
      providers.set(name, [provider]);
    } else {
      list.push(provider);
    }
  };
  // A package stands for its own name before those that provide it, and of these the one with the highest
  // priority.
  const ordered = [...apks].sort((a, b) => priorityOf(b) - priorityOf(a) || byCodeUnit(a.name, b.name));
  for (const apk of ordered) {
    provide(apk.name, { apk, version: apk.version });
  }
  for (const apk of ordered) {
    for (const { name, version } of parseApkRelations(apk.fields.get('p') ?? '') ?? []) {
      provide(name, version === '' ? { apk } : { apk, version });
    }
  }
  const fits = ({ apk, version }: Provider, relation: Relation): boolean => {
    if (relation.operator === '') {
      return true;
    }
    if (relation.operator === '><') {
      return apk.fields.get('C') === relation.version;
    }
    return version === undefined || satisfiesApk(version, relation.operator, relation.version);
  };
  let comparisons = 0;
  return (apk) => {
    const relations = parseApkRelations(apk.fields.get('D') ?? '');
    if (relations === undefined) {
      return undefined;
    }
    const found = new Set<Apk>();
    for (const relation of relations) {
      if (relation.conflict) {
        continue;
      }
      const candidates = providers.get(relation.name) ?? [];
      comparisons += candidates.length + 1;
      if (comparisons > maxComparisons) {
        return undefined;
      }
      const fitting = candidates.filter((provider) => fits(provider, relation));
      // What a package brings itself it needs from nobody.
      const [target] = fitting.some((provider) => provider.apk === apk) ? [] : fitting;
      if (target !== undefined) {
        found.add(target.apk);
      }
    }
    return [...found];
  };
}

function priorityOf({ fields }: Apk): number {
  const text = fields.get('k') ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
