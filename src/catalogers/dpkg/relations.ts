import { compact } from '../../base/compact.ts';
import { byCodeUnit } from '../../base/text.ts';
import { satisfiesDeb } from '../../bom/versions/deb.ts';
import type { Deb } from './packages.ts';

interface Relation {
  readonly name: string;
  /** `any`, `native` or an architecture. */
  readonly qualifier?: string;
  readonly operator?: string;
  readonly version?: string;
}

/**
 * Longest field seen is under 6,000 characters (texlive); one alternative for each character is the worst.
 */
const maxFieldLength = 64 * 1024;

/**
 * `a (>= 1) | b:any, c` as groups of alternatives; `undefined` where a part is not as Debian Policy 7.1 says.
 * Restrictions in brackets belong to source packages and are passed over.
 */
export function parseDpkgRelations(text: string): readonly (readonly Relation[])[] | undefined {
  if (text.length > maxFieldLength) {
    return undefined;
  }
  const groups: Relation[][] = [];
  for (const group of text.split(',')) {
    if (group.trim() === '') {
      continue;
    }
    const relations: Relation[] = [];
    for (const alternative of group.split('|')) {
      const match =
        /^([A-Za-z0-9][A-Za-z0-9+._-]*)(?::([a-z0-9-]+))?\s*(?:\(\s*(<<|<=|<|=|>=|>>|>)\s*([^\s()]+)\s*\))?\s*(?:\[[^\]]*\]\s*)?(?:<[^>]*>\s*)*$/.exec(
          // Runs of blanks would be tried in every division.
          alternative.trim().replace(/\s+/g, ' '),
        );
      if (match?.[1] === undefined) {
        return undefined;
      }
      const [, name, qualifier, operator, version] = match;
      relations.push(
        compact({
          name,
          qualifier,
          ...(operator === undefined || version === undefined ? {} : { operator, version }),
        }),
      );
    }
    groups.push(relations);
  }
  return groups;
}

/**
 * Comparisons of a relation with a package. A system of 3,000 packages takes 50,000; a hostile one would take
 * hours.
 */
const maxComparisons = 5_000_000;

/**
 * Which package satisfies each dependency of a package: the first alternative that is there in the right
 * version and architecture, a real package before one that provides the name. `undefined` where the fields
 * cannot be read, and where finding out takes too long.
 */
export function dpkgResolver(debs: readonly Deb[], native: string): (deb: Deb) => readonly Deb[] | undefined {
  const ordered = [...debs].sort(
    (a, b) => byCodeUnit(a.name, b.name) || byCodeUnit(a.architecture, b.architecture),
  );
  const byName = Map.groupBy(ordered, ({ name }) => name);
  const providers = new Map<string, { readonly deb: Deb; readonly version?: string }[]>();
  for (const deb of ordered) {
    for (const [provided] of parseDpkgRelations(deb.fields.get('provides') ?? '') ?? []) {
      if (provided === undefined) {
        continue;
      }
      const entry = compact({ deb, version: provided.version });
      const list = providers.get(provided.name);
      if (list === undefined) {
        providers.set(provided.name, [entry]);
      } else {
        list.push(entry);
      }
    }
  }
  // dpkg treats packages for all architectures as native ones.
  const machineOf = ({ architecture }: Deb): string =>
    architecture === 'all' || architecture === '' ? native : architecture;

  const fits = (candidate: Deb, { qualifier }: Relation, machine: string): boolean => {
    const own = machineOf(candidate);
    const multi = candidate.fields.get('multi-arch');
    if (qualifier === 'any') {
      return own === machine || multi === 'allowed' || multi === 'foreign';
    }
    if (qualifier === 'native') {
      return own === native;
    }
    if (qualifier !== undefined) {
      return own === qualifier;
    }
    return own === machine || multi === 'foreign';
  };
  const inVersion = (version: string | undefined, { operator, version: wanted }: Relation): boolean =>
    operator === undefined || wanted === undefined
      ? true
      : version !== undefined && satisfiesDeb(version, operator, wanted);
  let comparisons = 0;
  const find = (relation: Relation, machine: string): Deb | undefined => {
    const named = byName.get(relation.name) ?? [];
    const provided = providers.get(relation.name) ?? [];
    comparisons += named.length + provided.length + 1;
    if (comparisons > maxComparisons) {
      return undefined;
    }
    const real = named.filter((deb) => fits(deb, relation, machine) && inVersion(deb.version, relation));
    const virtual = provided
      .filter(({ deb, version }) => fits(deb, relation, machine) && inVersion(version, relation))
      .map(({ deb }) => deb);
    const same = (list: readonly Deb[]): Deb | undefined =>
      list.find((deb) => machineOf(deb) === machine) ?? list[0];
    return same(real) ?? same(virtual);
  };

  return (deb) => {
    const machine = machineOf(deb);
    const found = new Set<Deb>();
    for (const field of ['pre-depends', 'depends']) {
      const groups = parseDpkgRelations(deb.fields.get(field) ?? '');
      if (groups === undefined) {
        return undefined;
      }
      for (const group of groups) {
        for (const relation of group) {
          const target = find(relation, machine);
          if (target === undefined) {
            continue;
          }
          if (target !== deb) {
            found.add(target);
          }
          break;
        }
      }
    }
    return comparisons > maxComparisons ? undefined : [...found];
  };
}
