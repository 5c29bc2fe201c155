import { formatBytes } from '../base/bytes.ts';
import { plural } from '../base/text.ts';
import { attestationSize, refusedBy } from '../bom/attestation-size.ts';
import type { Bom, Component } from '../bom/model.ts';

/**
 * A few lines about an SBOM that was written: how much is in it, what came with the base, what could not be
 * read, and who will not take it as an attestation.
 *
 * @param size Bytes of the document.
 * @param output Where it was written; absent for standard output.
 */
export function formatSbomSummary(bom: Bom, size: number, output?: string): string {
  const where = output === undefined ? '' : ` to ${output}`;
  const lines = [
    `wrote ${plural(count(bom.components), 'component')}, ${formatBytes(size)}${where}`,
    ...originsIn(bom),
    ...skippedIn(bom),
    ...readersOf(size),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function originsIn({ components, subject }: Bom): readonly string[] {
  if (subject.base === undefined) {
    return [];
  }
  const origins = originsOf(components);
  const added = origins.filter((origin) => origin === 'added').length;
  return [`${origins.length - added} came with the base, ${added} were added`];
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

function skippedIn({ properties }: Bom): readonly string[] {
  const skipped = properties.filter(({ name }) => name === 'tcf:skipped').length;
  return skipped === 0
    ? []
    : [`tcf: warning: ${plural(skipped, 'thing')} could not be read; the SBOM lists them as tcf:skipped`];
}

function readersOf(size: number): readonly string[] {
  const refused = refusedBy(size);
  const readers = refused.map(({ limit, name }) => `${name} (${formatBytes(limit)})`).join(' and ');
  const attested = formatBytes(attestationSize(size));
  return refused.length === 0
    ? []
    : [`tcf: warning: as an attestation it has ${attested}, more than ${readers} will take`];
}
