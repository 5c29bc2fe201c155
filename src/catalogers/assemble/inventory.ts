import { byCodeUnit } from '../../base/text.ts';
import type { Component, ComponentEvidence } from '../../bom/model.ts';
import type { Catalog, Ownership, Skipped } from '../contract.ts';

/** One cataloger's answer. */
export interface Run {
  readonly cataloger: string;
  readonly catalog: Catalog;
}

export interface Item {
  /** Without its nested components: they are items of their own. */
  readonly component: Component;
  /** Where the cataloger itself nested it. */
  readonly parent: string | undefined;
}

/**
 * All components of all runs under bom-refs that are unique, and the runs with their refs rewritten to those.
 */
export interface Inventory {
  readonly items: ReadonlyMap<string, Item>;
  readonly runs: readonly {
    readonly cataloger: string;
    /** The refs of this run's components. */
    readonly refs: ReadonlySet<string>;
    readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
    readonly unknownDependencies: readonly string[];
    readonly owners: readonly Ownership[];
    readonly skipped: readonly Skipped[];
  }[];
}

interface Found {
  readonly component: Component;
  readonly run: number;
  readonly wanted: string;
  readonly parent: Found | undefined;
}

/**
 * Catalogers choose bom-refs without knowing each other. The same ref, purl and place is one thing seen twice
 * and becomes one; the same ref for different things becomes `REF~2`, `REF~3` in an order that follows from
 * the things alone.
 */
export function inventoryOf(root: string, runs: readonly Run[]): Inventory {
  const ordered = [...runs].sort((a, b) => byCodeUnit(a.cataloger, b.cataloger));
  const found = ordered.flatMap(({ catalog }, run) => flatten(catalog.components, run, undefined));
  const groups = [...Map.groupBy(found, ({ wanted }) => wanted)].sort(byKey);

  const taken = new Set([root, ...groups.map(([wanted]) => wanted)]);
  const refOf = new Map<Found, string>();
  const merged: (readonly [string, readonly Found[]])[] = [];
  for (const [wanted, group] of groups) {
    let isFirst = wanted !== root;
    for (const [, same] of [...Map.groupBy(group, thingOf)].sort(byKey)) {
      const ref = isFirst ? wanted : freeRef(wanted, taken);
      isFirst = false;
      taken.add(ref);
      for (const entry of same) {
        refOf.set(entry, ref);
      }
      merged.push([ref, same]);
    }
  }

  const items = new Map<string, Item>();
  for (const [ref, same] of merged.sort(byKey)) {
    const parents = same.flatMap(({ parent }) => (parent === undefined ? [] : (refOf.get(parent) ?? [])));
    items.set(ref, {
      component: {
        ...withOwnAncestors(mergeComponents(same.map(({ component }) => component)), ref, taken),
        bomRef: ref,
      },
      parent: parents.filter((parent) => parent !== ref).sort(byCodeUnit)[0],
    });
  }

  return {
    items,
    runs: ordered.map(({ cataloger, catalog }, run) => {
      const own = found.filter((entry) => entry.run === run);
      // Two things under one ref in one answer: its edges mean the first, in the order of the new refs.
      const renamed = new Map(
        own
          .map((entry) => [entry.component.bomRef, refOf.get(entry) ?? entry.wanted] as const)
          .sort(([, a], [, b]) => byCodeUnit(b, a)),
      );
      const rename = (ref: string): string => renamed.get(ref) ?? cleanRef(ref);
      return {
        cataloger,
        refs: new Set(own.map((entry) => refOf.get(entry) ?? entry.wanted)),
        dependencies: catalog.dependencies.map(({ ref, dependsOn }) => ({
          ref: rename(ref),
          dependsOn: dependsOn.map(rename),
        })),
        unknownDependencies: (catalog.unknownDependencies ?? []).map(rename),
        owners: (catalog.owners ?? []).map((owner) => ({
          bomRef: rename(owner.bomRef),
          owns: (path) => owner.owns(path),
        })),
        skipped: catalog.skipped,
      };
    }),
  };
}

function flatten(components: readonly Component[], run: number, parent: Found | undefined): readonly Found[] {
  return components.flatMap((component) => {
    const { components: nested = [], ...alone } = component;
    const found: Found = { component: alone, run, wanted: cleanRef(component.bomRef), parent };
    return [found, ...flatten(nested, run, found)];
  });
}

/**
 * Names from an image end up in refs: what a document cannot hold is percent-encoded, so cleaning never makes
 * two refs one.
 */
function cleanRef(ref: string): string {
  const encoded = ref
    .toWellFormed()
    .replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029\ufffe\uffff]/g, (char) => encodeURIComponent(char));
  // The specification keeps this prefix for links to other BOMs.
  return encoded === '' || encoded.startsWith('urn:cdx:') ? `ref:${encoded}` : encoded;
}

/** What makes a component this one: its identity and where it lies. */
function thingOf({ component, parent }: Found): string {
  const { type, name, version, purl } = component;
  return JSON.stringify([
    purl ?? [type, name, version],
    locationsOf(component)[0],
    parent === undefined ? undefined : [parent.wanted, locationsOf(parent.component)[0]],
  ]);
}

/** Where a component was found, ordered by code unit. */
export function locationsOf(component: Component): readonly string[] {
  return (component.evidence?.occurrences ?? []).map(({ location }) => location).sort(byCodeUnit);
}

/** The first in the order of their JSON tells the single facts; lists are united. */
function mergeComponents(same: readonly Component[]): Component {
  const [first, ...others] = [...same].sort((a, b) => byCodeUnit(JSON.stringify(a), JSON.stringify(b)));
  if (first === undefined) {
    throw new RangeError('nothing to merge');
  }
  let merged = first;
  for (const other of others) {
    merged = mergeTwo(merged, other);
  }
  return merged;
}

function mergeTwo(one: Component, other: Component): Component {
  return {
    ...other,
    ...one,
    ...present('licenses', unite(one.licenses, other.licenses)),
    ...present('hashes', unite(one.hashes, other.hashes)),
    ...present('externalReferences', unite(one.externalReferences, other.externalReferences)),
    ...present('properties', unite(one.properties, other.properties)),
    ...(one.evidence === undefined || other.evidence === undefined
      ? {}
      : { evidence: mergeEvidence(one.evidence, other.evidence) }),
  };
}

function mergeEvidence(one: ComponentEvidence, other: ComponentEvidence): ComponentEvidence {
  return {
    ...present('identity', unite(one.identity, other.identity)),
    ...present('occurrences', unite(one.occurrences, other.occurrences)),
    ...present('copyright', unite(one.copyright, other.copyright)),
  };
}

function unite<T>(one: readonly T[] = [], other: readonly T[] = []): readonly T[] {
  return [...new Map([...one, ...other].map((entry) => [JSON.stringify(entry), entry])).values()];
}

function present<Key extends string, T>(
  key: Key,
  list: readonly T[],
): { readonly [K in Key]?: readonly T[] } {
  return (list.length === 0 ? {} : { [key]: list }) as { readonly [K in Key]?: readonly T[] };
}

/** Two forks of one LLVM name the same ancestor; as parts of the document they are two. */
function withOwnAncestors(component: Component, ref: string, taken: Set<string>): Component {
  if (component.pedigree === undefined) {
    return component;
  }
  const ancestors = component.pedigree.ancestors.map((ancestor) => {
    const bomRef = freeRef(`${ref}~ancestor`, taken);
    taken.add(bomRef);
    return { ...ancestor, bomRef };
  });
  return { ...component, pedigree: { ancestors } };
}

function freeRef(wanted: string, taken: ReadonlySet<string>): string {
  let number = 2;
  while (taken.has(`${wanted}~${number}`)) {
    number += 1;
  }
  return `${wanted}~${number}`;
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return byCodeUnit(a[0], b[0]);
}
