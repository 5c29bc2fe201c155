/**
 * A licence for people: `LicenseRef-tcf-<16 hex>` is a text that lies in the image and has no name on any
 * list (docs/sbom.md).
 */
export function labelOfLicense(license: string): string {
  return license.replaceAll(/LicenseRef-tcf-(?:name-)?([0-9a-f]{8})[0-9a-f]{8}/g, 'a text of its own ($1)');
}
