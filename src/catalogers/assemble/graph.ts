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

type Edges = Map<string, Set<string>>;

/**
 * Who needs whom, so that every component is reachable from the image: the image leads to the operating
 * system and to whatever nobody else needs, the operating system to its packages, a component to what lies in
 * it. "None" is an empty entry and stands only where the cataloger read it; "unknown" is no entry.
 */
export function graphOf(root: string, inventory: Inventory, parents: ReadonlyMap<string, string>): Graph {
  const refs = [...inventory.items.keys()].sort(byCodeUnit);
  const { edges, dangling } = statedEdges(inventory);
  const unread = new Set(inventory.runs.flatMap((run) => run.unknownDependencies));
  const unknown = new Set(refs.filter((ref) => unread.has(ref) || !edges.has(ref)));
  for (const ref of unknown) {
    if (edges.get(ref)?.size === 0) {
      edges.delete(ref);
    }
  }

  for (const [ref, parent] of parents) {
    targetsOf(edges, parent).add(ref);
  }
  const system = refs.find((ref) => isSystem(inventory, ref) && !parents.has(ref));
  if (system !== undefined) {
    leadToPackages(edges, system, refs, inventory, parents);
  }
  if (system !== undefined && edges.has(system)) {
    unknown.delete(system);
  }
  leadFromRoot(edges, root, refs, inventory, parents);
  return {
    dependencies: [...edges]
      .sort(([a], [b]) => byCodeUnit(a, b))
      .map(([ref, targets]) => ({ ref, dependsOn: [...targets].sort(byCodeUnit) })),
    unknown,
    dangling: [...dangling].sort(byCodeUnit),
  };
}

/** What the catalogers said, as far as both ends were found. */
function statedEdges({ items, runs }: Inventory): { readonly edges: Edges; readonly dangling: Set<string> } {
  const edges: Edges = new Map();
  const dangling = new Set<string>();
  for (const { ref, dependsOn } of runs.flatMap((run) => run.dependencies)) {
    if (!items.has(ref)) {
      dangling.add(ref);
      continue;
    }
    const targets = targetsOf(edges, ref);
    for (const target of dependsOn) {
      if (!items.has(target)) {
        dangling.add(target);
      } else if (target !== ref) {
        targets.add(target);
      }
    }
  }
  return { edges, dangling };
}

function targetsOf(edges: Edges, ref: string): Set<string> {
  const targets = edges.get(ref) ?? new Set();
  edges.set(ref, targets);
  return targets;
}

function isSystem({ items }: Inventory, ref: string): boolean {
  return items.get(ref)?.component.type === 'operating-system';
}

function leadToPackages(
  edges: Edges,
  system: string,
  refs: readonly string[],
  { items }: Inventory,
  parents: ReadonlyMap<string, string>,
): void {
  for (const ref of refs) {
    const item = items.get(ref);
    if (item !== undefined && !parents.has(ref) && isOsPackage(item.component)) {
      targetsOf(edges, system).add(ref);
    }
  }
}

/** To the operating system, to what nobody needs, and to the first of each circle that is left. */
function leadFromRoot(
  edges: Edges,
  root: string,
  refs: readonly string[],
  inventory: Inventory,
  parents: ReadonlyMap<string, string>,
): void {
  const needed = new Set([...edges.values()].flatMap((targets) => [...targets]));
  const fromRoot = targetsOf(edges, root);
  for (const ref of refs) {
    if (!parents.has(ref) && (isSystem(inventory, ref) || !needed.has(ref))) {
      fromRoot.add(ref);
    }
  }
  const reached = reachable(edges, root);
  for (const ref of refs) {
    if (reached.has(ref)) {
      continue;
    }
    fromRoot.add(ref);
    for (const found of reachable(edges, ref)) {
      reached.add(found);
    }
  }
}
