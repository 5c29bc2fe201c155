import { isSupportedSpdxId } from '@cyclonedx/cyclonedx-library/SPDX';
import { byCodeUnit } from '../base/text.ts';
import { cleanText } from './clean.ts';
import type { License } from './model.ts';
import { recentLicenses } from './recent-licenses.ts';

/** The default first. */
export const cyclonedxVersions = ['1.6', '1.7'] as const;
export type SpecVersion = (typeof cyclonedxVersions)[number];

/**
 * How a licence that is on no list is written where it is the only one. `name`: as the name of a licence,
 * which is CycloneDX's place for it; tools that resolve SPDX expressions find nothing under a reference.
 * `expression`: as an SPDX expression of one reference, which BSI TR-03183-2 asks for (6.1).
 */
export type LoneReference = 'expression' | 'name';

const reference = /^LicenseRef-[A-Za-z0-9.-]+$/;

/** Entries of a `licenses` member, and what has to stand in `evidence.licenses` instead. */
export interface LicenseForms {
  readonly licenses: readonly object[];
  readonly evidence: readonly object[];
}

/**
 * 1.7 takes ids, names and expressions side by side. 1.6 takes either `license` objects or exactly one
 * expression: then the concluded expression stands in `licenses` and what was declared in
 * `evidence.licenses`.
 */
export function toLicenseForms(
  licenses: readonly License[],
  specVersion: SpecVersion,
  loneReference: LoneReference = 'name',
): LicenseForms {
  const sorted = licenses
    .map((license) => (loneReference === 'name' ? named(license) : license))
    .sort((a, b) => byCodeUnit(keyOf(a), keyOf(b)));
  if (specVersion === '1.7' || sorted.every(fitsLicenseObject)) {
    return { licenses: sorted.map(entryOf), evidence: [] };
  }
  const concluded = sorted.filter((license) => license.acknowledgement === 'concluded');
  const declared = sorted.filter((license) => license.acknowledgement === 'declared');
  return concluded.length === 0
    ? { licenses: choiceOf(declared), evidence: [] }
    : { licenses: choiceOf(concluded), evidence: choiceOf(declared) };
}

function named(license: License): License {
  return 'expression' in license && reference.test(license.expression)
    ? { acknowledgement: license.acknowledgement, name: license.expression }
    : license;
}

/**
 * One expression, or license objects; of several, the expressions become names, for 1.6 has no other place
 * for them.
 */
function choiceOf(licenses: readonly License[]): readonly object[] {
  if (licenses.length === 1 || licenses.every(fitsLicenseObject)) {
    return licenses.map(entryOf);
  }
  return licenses.map((license) =>
    fitsLicenseObject(license) || !('expression' in license)
      ? entryOf(license)
      : entryOf({ acknowledgement: license.acknowledgement, name: license.expression }),
  );
}

function entryOf(license: License): object {
  const { acknowledgement } = license;
  if ('name' in license) {
    return { license: { name: cleanText(license.name), acknowledgement } };
  }
  return fitsLicenseObject(license)
    ? { license: { id: license.expression, acknowledgement } }
    : { expression: cleanText(license.expression), acknowledgement };
}

/** Names, and expressions that are one id which every reader of the schema knows. */
function fitsLicenseObject(license: License): boolean {
  return (
    'name' in license || (isSupportedSpdxId(license.expression) && !recentLicenses.has(license.expression))
  );
}

function keyOf(license: License): string {
  return `${license.acknowledgement}\0${'name' in license ? `name\0${license.name}` : `expression\0${license.expression}`}`;
}
