/**
 * What readers of attestations take at most, in bytes of the bundle: GitHub's API, and cosign where nobody
 * set COSIGN_MAX_ATTACHMENT_SIZE.
 */
const limits: readonly Reader[] = [
  { name: 'GitHub', limit: 16 * 1024 * 1024 },
  { name: 'cosign', limit: 128 * 1024 * 1024 },
];

/** Certificate, log entry and timestamp have a few KiB. */
const overhead = 16 * 1024;

export interface Reader {
  readonly name: string;
  /** Bytes. */
  readonly limit: number;
}

/** Bytes of the bundle that attests an SBOM of `sbomBytes`: DSSE holds it in base64. */
export function attestationSize(sbomBytes: number): number {
  return Math.ceil((sbomBytes * 4) / 3) + overhead;
}

/** Who does not take an attestation of this SBOM. */
export function refusedBy(sbomBytes: number): readonly Reader[] {
  return limits.filter(({ limit }) => attestationSize(sbomBytes) > limit);
}
