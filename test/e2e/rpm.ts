import { join } from 'node:path';
import { must } from './support.ts';

/** What `rpm-truth.py` prints; a package is `NAME [EPOCH:]VERSION-RELEASE ARCH`. */
export interface RpmTruth {
  readonly packages: readonly string[];
  /** The id of the key that signed each package, or empty. */
  readonly keys: Readonly<Record<string, string>>;
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
  /** Properties by package, without `tcf:rpm:`. */
  readonly properties: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The packages of a database of SQLite with their dependencies, as rpm's own library resolves them, inside `root`. */
export async function rpmTruth(dbpath: string, root = '/'): Promise<RpmTruth> {
  const script = join(import.meta.dirname, 'rpm-truth.py');
  return JSON.parse(await must('/usr/bin/python3', [script, dbpath, root])) as RpmTruth;
}

/** The rpm packages of a BOM and the edges between them. */
export function rpmGraph(text: string): RpmGraph {
  const bom = JSON.parse(text) as {
    readonly components: readonly {
      readonly 'bom-ref': string;
      readonly name: string;
      readonly version: string;
      readonly purl?: string;
      readonly properties?: readonly { readonly name: string; readonly value: string }[];
    }[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  };
  const names = new Map<string, string>();
  const properties = new Map<string, Readonly<Record<string, string>>>();
  for (const { 'bom-ref': ref, name, version, purl, properties: own = [] } of bom.components) {
    if (!purl?.startsWith('pkg:rpm/')) continue;
    const named = `${name} ${version} ${/[?&]arch=([^&]+)/.exec(purl)?.[1]}`;
    names.set(ref, named);
    properties.set(
      named,
      Object.fromEntries(own.map((each) => [each.name.replace('tcf:rpm:', ''), each.value])),
    );
  }
  const edges = new Map<string, ReadonlySet<string>>();
  for (const { ref, dependsOn = [] } of bom.dependencies) {
    const from = names.get(ref);
    if (from !== undefined) edges.set(from, new Set(dependsOn.flatMap((to) => names.get(to) ?? [])));
  }
  return { packages: [...names.values()].sort(), properties, edges };
}

/** The id of the key of each package as tcf tells it, or empty. */
export function keysOf({ packages, properties }: RpmGraph): Readonly<Record<string, string>> {
  return Object.fromEntries(packages.map((name) => [name, properties.get(name)?.['signature:key-id'] ?? '']));
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
