import { predicateTypes, type Statement } from '../attest/statement.ts';
import { formatBytes } from '../base/size.ts';
import { printable } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';

/** One line about a bundle that was attached to an image. */
export function formatAttached({
  digest,
  size,
  statement,
}: {
  readonly digest: Digest;
  /** Bytes of the bundle. */
  readonly size: number;
  readonly statement: Statement;
}): string {
  return `attached the ${nameOfStatement(statement)}: ${digest} (${formatBytes(size)})\n`;
}

/** `signature`, `SBOM attestation`, `attestation TYPE`. */
export function nameOfStatement({ predicateType }: Statement): string {
  if (predicateType === predicateTypes.signature) {
    return 'signature';
  }
  return predicateType === predicateTypes.cyclonedx
    ? 'SBOM attestation'
    : `attestation ${printable(predicateType)}`;
}
