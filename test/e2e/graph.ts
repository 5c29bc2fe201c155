/** What a package manager says for itself; a package is `NAME VERSION ARCH`. */
export interface Truth {
  readonly packages: readonly string[];
  /** Each dependency with everything installed that satisfies it. */
  readonly needs: readonly {
    readonly from: string;
    readonly need: string;
    /** Whether it has operators of its own, which are not looked into here. */
    readonly rich?: boolean;
    readonly by: readonly string[];
  }[];
  /** Who could not stay if another package went, where the manager can be asked that. */
  readonly missed?: readonly { readonly from: string; readonly to: string }[];
}

/** The packages of one kind in a BOM and the edges between them. */
export interface Graph {
  readonly packages: readonly string[];
  readonly components: ReadonlyMap<string, GraphComponent>;
  readonly edges: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface GraphComponent {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly externalReferences?: readonly {
    readonly type: string;
    readonly url: string;
    readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  }[];
  readonly evidence?: object;
}

export function graphOf(bomText: string, type: 'apk' | 'deb' | 'rpm'): Graph {
  const bom = JSON.parse(bomText) as {
    readonly components: readonly GraphComponent[];
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  };
  const names = new Map<string, string>();
  const components = new Map<string, GraphComponent>();
  for (const component of bom.components) {
    const { 'bom-ref': ref, name, version, purl } = component;
    if (!purl?.startsWith(`pkg:${type}/`)) {
      continue;
    }
    const named = `${name} ${version} ${/[?&]arch=([^&]+)/.exec(purl)?.[1]}`;
    names.set(ref, named);
    components.set(named, component);
  }
  const edges = new Map<string, ReadonlySet<string>>();
  for (const { ref, dependsOn = [] } of bom.dependencies) {
    const from = names.get(ref);
    if (from !== undefined) {
      edges.set(from, new Set(dependsOn.flatMap((to) => names.get(to) ?? [])));
    }
  }
  return { packages: [...names.values()].sort(), components, edges };
}

/** A property of a package; empty where it has none. */
export function propertyOf({ components }: Graph, name: string, property: string): string {
  return components.get(name)?.properties?.find((each) => each.name === property)?.value ?? '';
}

/**
 * Where a graph and the package manager disagree. An edge must follow from a dependency that its target
 * satisfies; each dependency must have an edge to one of those that satisfy it, unless the package itself
 * does; and whoever would be missed must have an edge.
 */
export function differences(
  { edges }: Pick<Graph, 'edges'>,
  { needs, missed = [] }: Truth,
): readonly string[] {
  const found: string[] = [];
  const grounds = new Set<string>(missed.map(({ from, to }) => `${from} -> ${to}`));
  for (const { from, need, rich = false, by } of needs) {
    const targets = edges.get(from);
    if (targets === undefined) {
      found.push(`${from} has no entry`);
    }
    for (const to of by) {
      grounds.add(`${from} -> ${to}`);
    }
    if (rich || by.length === 0 || by.includes(from)) {
      continue;
    }
    if (!by.some((to) => targets?.has(to))) {
      found.push(`${from} needs ${need}, and has no edge`);
    }
  }
  for (const { from, to } of missed) {
    if (from !== to && !edges.get(from)?.has(to)) {
      found.push(`${from} -> ${to} is missing`);
    }
  }
  for (const [from, targets] of edges) {
    for (const to of targets) {
      if (!grounds.has(`${from} -> ${to}`)) {
        found.push(`${from} -> ${to} follows from nothing`);
      }
    }
  }
  return [...new Set(found)].sort();
}

interface Owned {
  readonly 'bom-ref': string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/** The bom-ref of the component in which this one lies. */
export function ownerOf({ properties = [] }: Owned): string | undefined {
  return properties.find(({ name }) => name === 'tcf:owned-by')?.value;
}

/** What lies in a component, or in what lies in it. */
export function partsOf<T extends Owned>(components: readonly T[], owner: T | undefined): readonly T[] {
  if (owner === undefined) {
    return [];
  }
  const own = components.filter((each) => ownerOf(each) === owner['bom-ref']);
  return own.flatMap((each) => [each, ...partsOf(components, each)]);
}
