import { formatBytes } from '../base/size.ts';
import { plural } from '../base/text.ts';
import { attestationSize, refusedBy } from '../bom/attestation-size.ts';
import type { SbomSummary } from '../bom/sbom-summary.ts';

/**
 * A few lines about an SBOM that was written: how much is in it, what came with the base, what could not be
 * read, and who will not take it as an attestation.
 *
 * @param size Bytes of the document.
 * @param output Where it was written; absent for standard output.
 */
export function formatSbomSummary(
  { added, components, fromBase, skipped }: SbomSummary,
  size: number,
  output?: string,
): string {
  const where = output === undefined ? '' : ` to ${output}`;
  const lines = [
    `wrote ${plural(components, 'component')}, ${formatBytes(size)}${where}`,
    ...(fromBase === undefined ? [] : [`${fromBase} came with the base, ${added} were added`]),
    ...skippedLine(skipped),
    ...readersOf(size),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function skippedLine(skipped: number): readonly string[] {
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
