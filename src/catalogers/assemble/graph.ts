import { byCodeUnit } from '../../base/text.ts';
import type { Dependency } from '../../bom/model.ts';
import { reachable } from '../../bom/validate.ts';
import type { Inventory } from './inventory.ts';
import { isOsPackage } from './ownership.ts';

export interface Graph {
  readonly dependencies: readonly Dependency[];
  /** Components about whose dependencies nothing is known beyond what they contain. */
  readonly unknown: ReadonlySet<string>;
  /** Refs that a cataloger named and no cataloger found. */
  readonly dangling: readonly string[];
}

/**
 * Who needs whom, so that every component is reachable from the image: the image leads to the operating system and to whatever nobody
 * else needs, the operating system to its packages, a component to what lies in it. "None" is an empty entry and stands only where
 * the cataloger read it; "unknown" is no entry.
 */
export function graphOf(root: string, inventory: Inventory, parents: ReadonlyMap<string, string>): Graph {
  const { items } = inventory;
  const refs = [...items.keys()].sort(byCodeUnit);
  const edges = new Map<string, Set<string>>();
  const dangling = new Set<string>();
  const entry = (ref: string): Set<string> => {
    const targets = edges.get(ref) ?? new Set();
    edges.set(ref, targets);
    return targets;
  };

  const told = new Set<string>();
  for (const run of inventory.runs) {
    for (const { ref, dependsOn } of run.dependencies) {
      if (!items.has(ref)) {
        dangling.add(ref);
        continue;
      }
      told.add(ref);
      const targets = entry(ref);
      for (const target of dependsOn) {
        if (!items.has(target)) dangling.add(target);
        else if (target !== ref) targets.add(target);
      }
    }
  }
  const unread = new Set(inventory.runs.flatMap((run) => run.unknownDependencies));
  const unknown = new Set(refs.filter((ref) => unread.has(ref) || !told.has(ref)));
  for (const ref of unknown) if (edges.get(ref)?.size === 0) edges.delete(ref);

  for (const [ref, parent] of parents) entry(parent).add(ref);
  const isSystem = (ref: string): boolean => items.get(ref)?.component.type === 'operating-system';
  const system = refs.find((ref) => isSystem(ref) && !parents.has(ref));
  for (const ref of refs) {
    const item = items.get(ref);
    if (item === undefined || parents.has(ref)) continue;
    if (system !== undefined && isOsPackage(item.component)) entry(system).add(ref);
  }
  if (system !== undefined && edges.has(system)) unknown.delete(system);

  const needed = new Set([...edges.values()].flatMap((targets) => [...targets]));
  const fromRoot = entry(root);
  for (const ref of refs) {
    if (!parents.has(ref) && (isSystem(ref) || !needed.has(ref))) fromRoot.add(ref);
  }
  // What is left needs itself in a circle; the first of each circle hangs on the image.
  const reached = reachable(edges, root);
  for (const ref of refs) {
    if (reached.has(ref)) continue;
    fromRoot.add(ref);
    for (const found of reachable(edges, ref)) reached.add(found);
  }
  return {
    dependencies: [...edges]
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([ref, targets]) => ({ ref, dependsOn: [...targets].sort(byCodeUnit) })),
    unknown,
    dangling: [...dangling].sort(byCodeUnit),
  };
}
