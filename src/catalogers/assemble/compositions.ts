import { byCodeUnit } from '../../base/text.ts';
import type { Component, Composition } from '../../bom/model.ts';
import type { Graph } from './graph.ts';
import type { Inventory } from './inventory.ts';

/**
 * How much of the truth the BOM tells, from the statuses of the catalogers: one composition for each of them,
 * one for what nobody could look into, one for unknown dependencies, and the one about the whole, which says
 * `complete` only if nothing at all is missing.
 */
export function compositionsOf(
  root: string,
  inventory: Inventory,
  graph: Graph,
  { complete }: { readonly complete: boolean },
): readonly Composition[] {
  const opaque = new Set(
    [...inventory.items].filter(([, { component }]) => isOpaque(component)).map(([ref]) => ref),
  );
  const whole = complete ? 'complete' : 'incomplete';
  return [
    { aggregate: whole },
    { aggregate: whole, assemblies: [root], dependencies: [root] },
    ...scopes(inventory).flatMap(({ skipped, refs }) => {
      const assemblies = refs.filter((ref) => !opaque.has(ref));
      const dependencies = refs.filter((ref) => !graph.unknown.has(ref));
      return about(skipped ? 'incomplete' : 'complete', assemblies, dependencies);
    }),
    ...about('unknown', [...opaque], [...graph.unknown]),
  ];
}

/** Each cataloger's components; one that two catalogers saw belongs to the first. */
function scopes(
  inventory: Inventory,
): readonly { readonly skipped: boolean; readonly refs: readonly string[] }[] {
  const seen = new Set<string>();
  return inventory.runs.map((run) => {
    const refs = [...run.refs].filter((ref) => !seen.has(ref));
    for (const ref of refs) {
      seen.add(ref);
    }
    return { skipped: run.skipped.length > 0, refs };
  });
}

/** A binary that was recognised by what it says of itself: what was linked into it, nobody wrote down. */
function isOpaque(component: Component): boolean {
  return (component.evidence?.identity ?? []).some(({ methods }) =>
    methods.some(({ technique }) => technique === 'binary-analysis'),
  );
}

function about(
  aggregate: Composition['aggregate'],
  assemblies: readonly string[],
  dependencies: readonly string[],
): readonly Composition[] {
  if (assemblies.length === 0 && dependencies.length === 0) {
    return [];
  }
  return [
    {
      aggregate,
      ...(assemblies.length === 0 ? {} : { assemblies: [...assemblies].sort(byCodeUnit) }),
      ...(dependencies.length === 0 ? {} : { dependencies: [...dependencies].sort(byCodeUnit) }),
    },
  ];
}
