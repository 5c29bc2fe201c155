import { createHash } from 'node:crypto';
import type { License, Property } from './model.ts';

/** Of the 64 digits of a SHA-256; the property has all of them. */
const digits = 16;

/**
 * The licences, and where none is concluded the text itself: `LicenseRef-tcf-DIGITS`, which is how SPDX names
 * a text that is on no list. DIGITS are the beginning of its SHA-256, so that one text has one name in every
 * SBOM, and the property says which text that is and where it stands. It is declared too where the package
 * says nothing shorter.
 */
export function withLicenseText(
  licenses: readonly License[],
  text: Uint8Array | string,
  place: string,
): { readonly licenses: readonly License[]; readonly properties: readonly Property[] } {
  if (licenses.some(({ acknowledgement }) => acknowledgement === 'concluded')) {
    return { licenses, properties: [] };
  }
  const sha256 = createHash('sha256').update(text).digest('hex');
  const expression = `LicenseRef-tcf-${sha256.slice(0, digits)}`;
  return {
    licenses: [
      ...(licenses.length === 0 ? [{ acknowledgement: 'declared', expression } as const] : licenses),
      { acknowledgement: 'concluded', expression },
    ],
    properties: [{ name: 'tcf:license:text', value: `${expression}: SHA-256 ${sha256} of ${place}` }],
  };
}
