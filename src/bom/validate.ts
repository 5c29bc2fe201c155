import type { Bom, Component } from './model.ts';
import { rootRef } from './subject.ts';

/**
 * What is wrong with the shape of a BOM, one sentence each; empty for every BOM that tcf writes. Beyond the
 * schema: unique bom-refs, no dangling ref, no edge to itself, no second entry, everything reachable from the
 * image, and for each component either an entry or a place among the unknown.
 */
export function checkBom(bom: Bom): string[] {
  const wrong: string[] = [];
  const root = rootRef(bom.subject);
  const refs = new Set([root]);
  const ancestors = new Set<string>();
  const note = (component: Component, into: Set<string>): void => {
    if (refs.has(component.bomRef) || ancestors.has(component.bomRef)) {
      wrong.push(`${component.bomRef} stands twice`);
    }
    into.add(component.bomRef);
    for (const nested of component.components ?? []) {
      note(nested, into);
    }
    for (const ancestor of component.pedigree?.ancestors ?? []) {
      note(ancestor, ancestors);
    }
  };
  for (const component of bom.components) {
    note(component, refs);
  }

  const edges = new Map<string, readonly string[]>();
  for (const { ref, dependsOn } of bom.dependencies) {
    if (!refs.has(ref)) {
      wrong.push(`the entry ${ref} is not about a component`);
    }
    if (edges.has(ref)) {
      wrong.push(`${ref} has two entries`);
    }
    edges.set(ref, dependsOn);
    if (new Set(dependsOn).size < dependsOn.length) {
      wrong.push(`${ref} names a dependency twice`);
    }
    for (const target of dependsOn) {
      if (target === ref) {
        wrong.push(`${ref} depends on itself`);
      }
      if (!refs.has(target)) {
        wrong.push(`${ref} depends on ${target}, which is not a component`);
      }
    }
  }
  if (!edges.has(root)) {
    wrong.push('the image has no entry');
  }

  const unknown = new Set<string>();
  for (const { aggregate, assemblies = [], dependencies = [] } of bom.compositions) {
    for (const ref of [...assemblies, ...dependencies]) {
      if (!refs.has(ref)) {
        wrong.push(`a composition names ${ref}, which is not a component`);
      }
    }
    if (aggregate === 'unknown') {
      for (const ref of dependencies) {
        unknown.add(ref);
      }
    }
  }
  const reached = reachable(edges, root);
  for (const ref of refs) {
    if (!reached.has(ref)) {
      wrong.push(`${ref} is not reachable from the image`);
    }
    if (!edges.has(ref) && !unknown.has(ref)) {
      wrong.push(`${ref} has no entry and is not said to be unknown`);
    }
    if (unknown.has(ref) && edges.get(ref)?.length === 0) {
      wrong.push(`${ref} is unknown and said to have no dependencies`);
    }
  }
  return wrong;
}

/** Everything that edges lead to from `start`, itself included. */
export function reachable(
  edges: ReadonlyMap<string, Iterable<string>>,
  ...start: readonly string[]
): Set<string> {
  const reached = new Set(start);
  // A Set that grows while it is walked is walked to its end.
  for (const ref of reached) {
    for (const target of edges.get(ref) ?? []) {
      reached.add(target);
    }
  }
  return reached;
}
