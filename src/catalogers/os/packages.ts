import { printable } from '../../base/text.ts';
import type { Component, ComponentEvidence, Dependency, Organization } from '../../bom/model.ts';
import type { Purl } from '../../bom/purl.ts';
import type { Catalog, Skipped, TreeFile } from '../contract.ts';
import { identifiedBy } from '../identity.ts';
import type { OsRelease } from '../os-release.ts';

/** A row of the database of a package manager. */
export interface OsPackage {
  readonly name: string;
  readonly database: TreeFile;
}

/**
 * What a package needs; `not-recorded` where its database never says it, `unreadable` where what it says
 * cannot be read.
 */
export type OsNeeds<P extends OsPackage> = readonly P[] | 'not-recorded' | 'unreadable';

/** What apk, dpkg and rpm each say in a form of their own. */
export interface OsPackages<P extends OsPackage> {
  readonly packages: readonly P[];
  readonly system: OsRelease | undefined;
  readonly skipped: readonly Skipped[];
  /** Unique among the packages. */
  refOf(found: P): string;
  needsOf(found: P): OsNeeds<P>;
  componentOf(found: P): Component;
  /** Whether the package brought a real path; asked once everything is read. */
  owns(found: P, path: string): boolean;
}

/** The catalog of one package manager: components, edges between them, and whose files are whose. */
export function osPackageCatalog<P extends OsPackage>(found: OsPackages<P>): Catalog {
  const refs = new Map(found.packages.map((each) => [each, found.refOf(each)]));
  const skipped: Skipped[] = [...found.skipped, ...withoutDistribution(found)];
  const dependencies: Dependency[] = [];
  const unknownDependencies: string[] = [];
  // Asked once: finding out has a budget.
  const needsOf = new Map(found.packages.map((each) => [each, found.needsOf(each)]));
  for (const [each, ref] of refs) {
    const needs = needsOf.get(each) ?? 'unreadable';
    if (typeof needs !== 'string') {
      dependencies.push({ ref, dependsOn: needs.flatMap((target) => refs.get(target) ?? []).sort() });
      continue;
    }
    unknownDependencies.push(ref);
    if (needs === 'unreadable') {
      skipped.push({
        path: printable(each.database.path),
        reason: `the dependencies of ${printable(each.name)} cannot be read`,
      });
    }
  }
  return {
    components: found.packages.map((each) => found.componentOf(each)),
    dependencies,
    owners: [...refs]
      // Who does not record what a package needs does not record its files.
      .filter(([each]) => needsOf.get(each) !== 'not-recorded')
      .map(([each, bomRef]) => ({ bomRef, owns: (path) => found.owns(each, path) })),
    skipped,
    unknownDependencies,
  };
}

function withoutDistribution<P extends OsPackage>({ packages, system }: OsPackages<P>): readonly Skipped[] {
  if (packages.length === 0 || system?.id !== undefined) {
    return [];
  }
  return [{ path: 'etc/os-release', reason: 'names no distribution, so its packages have no purl' }];
}

/** Of a row in a database, and of the layer that first had it. */
export function evidenceOfRow(
  { database }: OsPackage,
  purl: Purl | undefined,
  { layer }: Pick<TreeFile, 'layer'>,
): ComponentEvidence {
  return {
    identity: identifiedBy(purl === undefined ? 'name' : 'purl', {
      technique: 'manifest-analysis',
      confidence: 1,
      value: database.path,
    }),
    occurrences: [{ location: database.path, layer }],
  };
}

/** `Ann <ann@example.org>`, as apk and dpkg write a maintainer. */
export function maintainerIn(text: string): Organization | undefined {
  const [, name = '', email] =
    /^"?([^<"]*?)"? ?(?:<([^<>]*)>)?$/.exec(text.slice(0, 500).trim().replace(/\s+/g, ' ')) ?? [];
  if (name === '') {
    return undefined;
  }
  return { name, ...(email === undefined ? {} : { contacts: [{ name, email }] }) };
}
