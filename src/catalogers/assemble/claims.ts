import type { Component } from '../../bom/model.ts';
import { parsePurl } from '../../bom/purl.ts';
import type { Run } from './inventory.ts';

/**
 * Without what a wheel's own SBOM claims and a program in the wheel says itself: the list in the program is
 * of what was linked into it, and the claim would be the same crate a second time. The licence and the hash
 * that only the claim has stay with the crate, and edges lead there.
 */
export function withoutRepeatedClaims(runs: readonly Run[]): readonly Run[] {
  const renamed = new Map<string, string>();
  const stated = new Map<string, Component>();
  for (const { catalog } of runs) {
    for (const wheel of flatten(catalog.components)) {
      const claims = (wheel.components ?? []).filter(isClaim);
      if (claims.length === 0) {
        continue;
      }
      const owner = catalog.owners?.find(({ bomRef }) => bomRef === wheel.bomRef);
      const seen = partsOfPrograms(runs, (path) => owner?.owns(path) ?? false);
      for (const claim of claims) {
        for (const part of seen.get(keyOf(claim)) ?? []) {
          renamed.set(claim.bomRef, renamed.get(claim.bomRef) ?? part.bomRef);
          stated.set(part.bomRef, claim);
        }
      }
    }
  }
  if (renamed.size === 0) {
    return runs;
  }
  const rebuild = (component: Component): Component => {
    const claim = stated.get(component.bomRef);
    const components = (component.components ?? []).filter(({ bomRef }) => !renamed.has(bomRef)).map(rebuild);
    const { components: _, ...rest } = component;
    return {
      ...rest,
      ...(claim?.licenses === undefined || rest.licenses !== undefined ? {} : { licenses: claim.licenses }),
      ...(claim?.hashes === undefined || rest.hashes !== undefined ? {} : { hashes: claim.hashes }),
      ...(components.length === 0 ? {} : { components }),
    };
  };
  const refOf = (ref: string): string => renamed.get(ref) ?? ref;
  return runs.map(({ catalog, cataloger }) => ({
    cataloger,
    catalog: {
      ...catalog,
      components: catalog.components.map(rebuild),
      dependencies: catalog.dependencies
        .filter(({ ref }) => !renamed.has(ref))
        .map(({ dependsOn, ref }) => ({ ref, dependsOn: [...new Set(dependsOn.map(refOf))] })),
      unknownDependencies: (catalog.unknownDependencies ?? []).filter((ref) => !renamed.has(ref)),
    },
  }));
}

/** What programs hold that lie in these files, by what it is. */
function partsOfPrograms(
  runs: readonly Run[],
  owns: (path: string) => boolean,
): ReadonlyMap<string, readonly Component[]> {
  const programs = runs
    .flatMap(({ catalog }) => catalog.components)
    .filter(
      ({ components = [], evidence, type }) =>
        type === 'application' &&
        components.length > 0 &&
        (evidence?.occurrences ?? []).some(({ location }) => owns(location)),
    );
  return Map.groupBy(
    programs.flatMap((program) => flatten([program])).filter((part) => !isClaim(part)),
    keyOf,
  );
}

function flatten(components: readonly Component[]): readonly Component[] {
  return components.flatMap((component) => [component, ...flatten(component.components ?? [])]);
}

function isClaim({ properties = [] }: Component): boolean {
  return properties.some(({ name }) => name === 'tcf:python:claimed-by');
}

/** A crate has one name whatever repository it is from; a purl of cargo names crates.io only. */
function keyOf({ name, purl, version = '' }: Component): string {
  const type = purl === undefined ? '' : parsePurl(purl).type;
  return `${type === 'generic' ? 'cargo' : type} ${name} ${version}`;
}
