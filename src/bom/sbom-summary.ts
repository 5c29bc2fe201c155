import type { Bom, Component } from './model.ts';

/** How much is in an SBOM. */
export interface SbomSummary {
  readonly components: number;
  /** Things that could not be read. */
  readonly skipped: number;
  /** Components that came with the base image, and others; absent where no base is known. */
  readonly fromBase?: number;
  readonly added?: number;
}

export function summaryOf({ components, properties, subject }: Bom): SbomSummary {
  const skipped = properties.filter(({ name }) => name === 'tcf:skipped').length;
  const counts = { components: count(components), skipped };
  if (subject.base === undefined) {
    return counts;
  }
  const origins = originsOf(components);
  const added = origins.filter((origin) => origin === 'added').length;
  return { ...counts, fromBase: origins.length - added, added };
}

function originsOf(components: readonly Component[] = []): readonly string[] {
  return components.flatMap(({ components: nested, properties = [] }) => [
    ...properties.flatMap(({ name, value }) => (name === 'tcf:origin' ? value : [])),
    ...originsOf(nested),
  ]);
}

function count(components: readonly Component[] = []): number {
  return components.reduce((sum, component) => sum + 1 + count(component.components), 0);
}
