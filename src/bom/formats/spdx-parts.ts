import { byCodeUnit } from '../../base/text.ts';
import { cleanText } from '../clean.ts';
import { flatten, ownedBy } from '../layout.ts';
import type { Bom, Component, ComponentHash, License } from '../model.ts';
import { sha256Hex } from '../serial.ts';
import { rootComponent, rootRef } from '../subject.ts';

/* What SPDX 2.3 and 3.0 have in common. */

/**
 * What was skipped, left out or is unknown has no field of its own in SPDX, and nobody should take the list
 * for whole.
 */
export function spdxCommentOf({ properties }: Bom): string | undefined {
  const lines = properties.map(({ name, value }) => `${name}: ${value}`).sort(byCodeUnit);
  return lines.length === 0 ? undefined : cleanText(lines.join('\n'));
}

/** An idstring of SPDX has letters, digits, dots and hyphens only; the digest keeps two names apart. */
export function spdxIdOf(bomRef: string, name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9.-]+/g, '-').slice(0, 60);
  return `SPDXRef-${plain}-${sha256Hex(bomRef).slice(0, 16)}`;
}

/**
 * A checksum of a package is that of its file; hashes of records and lists stand in the comment with what
 * they are of.
 */
const ofPackage: ReadonlySet<string> = new Set([
  'deb archive',
  'distribution archive',
  'conda archive',
  'file',
]);

export function fileHashesOf({ hashes = [] }: Component): readonly ComponentHash[] {
  return hashes.filter(({ subject }) => ofPackage.has(subject));
}

/** What a component says beyond the fields of SPDX. */
export function spdxTextOf({ evidence, hashes = [], properties = [] }: Component): string | undefined {
  const lines = [
    ...properties.map(({ name, value }) => `${name}: ${value}`),
    ...hashes.map(({ algorithm, subject, value }) => `${algorithm} of ${subject}: ${value}`),
    ...(evidence?.occurrences ?? []).map(({ location }) => `location: ${location}`),
  ].sort(byCodeUnit);
  return lines.length === 0 ? undefined : cleanText(lines.join('\n'));
}

/** A licence as SPDX states it, and the texts of those references that it uses. */
export interface SpdxLicense {
  readonly expression: string;
  readonly texts: readonly { readonly id: string; readonly text: string }[];
}

/**
 * One statement as it is. `undefined`: none, or several that nobody joined with an operator, of which SPDX
 * can say nothing in one field.
 */
export function spdxLicenseOf(
  { licenses = [] }: Component,
  acknowledgement: License['acknowledgement'],
): SpdxLicense | undefined {
  const [license, ...others] = licenses.filter((each) => each.acknowledgement === acknowledgement);
  if (license === undefined || others.length > 0) {
    return undefined;
  }
  if ('expression' in license) {
    const refs = license.expression.match(/(?<![\w.:-])LicenseRef-[A-Za-z0-9.-]+/g) ?? [];
    // The text itself lies in the image; its name is all that the package says.
    return { expression: license.expression, texts: refs.map((id) => ({ id, text: id })) };
  }
  const id = `LicenseRef-tcf-name-${sha256Hex(license.name).slice(0, 16)}`;
  return { expression: id, texts: [{ id, text: cleanText(license.name) }] };
}

/** Who needs or holds whom, by bom-refs. */
export interface SpdxEdge {
  readonly from: string;
  readonly kind: 'contains' | 'depends';
  /** `none`: it needs nothing; `unknown`: what it needs is not known. */
  readonly to: string | { readonly is: 'none' | 'unknown' };
}

/** "Needs nothing" and "not known" are two answers, in SPDX as well. */
export function spdxEdgesOf(bom: Bom): readonly SpdxEdge[] {
  const all = new Map(
    [rootComponent(bom.subject), ...flatten(bom.components)].map((component) => [
      component.bomRef,
      component,
    ]),
  );
  const ownerOf = (ref: string): string | undefined =>
    all.get(ref)?.properties?.find(({ name }) => name === ownedBy)?.value;
  const isContainer = (ref: string): boolean =>
    ref === rootRef(bom.subject) || all.get(ref)?.type === 'operating-system';
  const told = new Map(bom.dependencies.map(({ dependsOn, ref }) => [ref, dependsOn]));
  return [...all.keys()].flatMap((from): readonly SpdxEdge[] => {
    const targets = told.get(from);
    if (targets === undefined || targets.length === 0) {
      return [{ from, kind: 'depends', to: { is: targets === undefined ? 'unknown' : 'none' } }];
    }
    return targets
      .filter((to) => all.has(to))
      .map((to) => ({ from, kind: isContainer(from) || ownerOf(to) === from ? 'contains' : 'depends', to }));
  });
}
