import { byCodeUnit } from '../base/text.ts';

/** Names of one vulnerability. */
interface Named {
  readonly id: string;
  readonly aliases: readonly string[];
}

/**
 * Groups what has a name in common, directly or through others; aliases may lead in a circle. Groups are in
 * the order of their first member.
 */
export function groupByAlias<T>(items: readonly T[], named: (item: T) => Named): readonly (readonly T[])[] {
  if (items.length === 1) {
    return [items];
  }
  const parents = new Map<string, string>();
  const rootOf = (name: string): string => {
    let root = name;
    for (let above = parents.get(root); above !== undefined && above !== root; above = parents.get(root)) {
      root = above;
    }
    parents.set(name, root);
    return root;
  };
  for (const item of items) {
    const { aliases, id } = named(item);
    for (const alias of aliases) {
      parents.set(rootOf(alias), rootOf(id));
    }
  }
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const root = rootOf(named(item).id);
    const group = groups.get(root);
    if (group === undefined) {
      groups.set(root, [item]);
    } else {
      group.push(item);
    }
  }
  return [...groups.values()];
}

/** All names of a group, the one that people know first: the CVE, then the first of the others. */
export function namesOfGroup(group: readonly Named[]): readonly [string, ...string[]] {
  const names = [...new Set(group.flatMap(({ aliases, id }) => [id, ...aliases]))].sort(
    (a, b) => Number(b.startsWith('CVE-')) - Number(a.startsWith('CVE-')) || byCodeUnit(a, b),
  );
  return names as [string, ...string[]];
}
