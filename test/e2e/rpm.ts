import { join } from 'node:path';
import { must } from './support.ts';

/** What `rpm-truth.py` prints; a package is `NAME [EPOCH:]VERSION-RELEASE ARCH`. */
export interface RpmTruth {
  readonly packages: readonly string[];
  readonly needs: readonly {
    readonly from: string;
    readonly need: string;
    readonly rich: boolean;
    readonly by: readonly string[];
  }[];
  /** Who could not stay if another package went. */
  readonly missed: readonly { readonly from: string; readonly to: string }[];
}

export interface RpmGraph {
  readonly packages: readonly string[];
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The packages of a database of SQLite with their dependencies, as rpm's own library resolves them. */
export async function rpmTruth(dbpath: string): Promise<RpmTruth> {
  const script = join(import.meta.dirname, 'rpm-truth.py');
  return JSON.parse(await must('/usr/bin/python3', [script, dbpath])) as RpmTruth;
}

/** The rpm packages of a BOM and the edges between them. */
export function rpmGraph(text: string): RpmGraph {
  const bom = JSON.parse(text) as {
    readonly components: readonly {
      readonly 'bom-ref': string;
      readonly name: string;
      readonly version: string;
      readonly purl?: string;
    }[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  };
  const names = new Map<string, string>();
  for (const { 'bom-ref': ref, name, version, purl } of bom.components)
    if (purl?.startsWith('pkg:rpm/'))
      names.set(ref, `${name} ${version} ${/[?&]arch=([^&]+)/.exec(purl)?.[1]}`);
  const edges = new Map<string, ReadonlySet<string>>();
  for (const { ref, dependsOn = [] } of bom.dependencies) {
    const from = names.get(ref);
    if (from !== undefined) edges.set(from, new Set(dependsOn.flatMap((to) => names.get(to) ?? [])));
  }
  return { packages: [...names.values()].sort(), edges };
}

/**
 * Where a graph and rpm disagree. An edge must follow from a dependency that its target satisfies; each dependency must have an edge to one
 * of those that satisfy it, unless the package itself does; and whoever would be missed must have an edge.
 */
export function rpmDifferences({ edges }: RpmGraph, { needs, missed }: RpmTruth): readonly string[] {
  const differences: string[] = [];
  const grounds = new Set<string>(missed.map(({ from, to }) => `${from} -> ${to}`));
  for (const { from, need, rich, by } of needs) {
    const targets = edges.get(from);
    if (targets === undefined) differences.push(`${from} has no entry`);
    for (const to of by) grounds.add(`${from} -> ${to}`);
    if (rich || by.length === 0 || by.includes(from)) continue;
    if (!by.some((to) => targets?.has(to))) differences.push(`${from} needs ${need}, and has no edge`);
  }
  for (const { from, to } of missed)
    if (from !== to && !edges.get(from)?.has(to)) differences.push(`${from} -> ${to} is missing`);
  for (const [from, targets] of edges)
    for (const to of targets)
      if (!grounds.has(`${from} -> ${to}`)) differences.push(`${from} -> ${to} follows from nothing`);
  return [...new Set(differences)].sort();
}
