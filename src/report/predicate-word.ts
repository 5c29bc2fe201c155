import { predicateTypes } from '../attest/statement.ts';

const words: readonly (readonly [prefix: string, word: string])[] = [
  [predicateTypes.cyclonedx, 'SBOM (CycloneDX)'],
  [predicateTypes.spdx, 'SBOM (SPDX)'],
  ['https://slsa.dev/provenance/', 'Provenance (SLSA)'],
  ['https://slsa.dev/verification_summary/', 'Verification summary (SLSA)'],
  ['https://sigstore.dev/cosign/sign/', 'Signature'],
  ['https://openvex.dev/ns', 'VEX (OpenVEX)'],
  ['https://cosign.sigstore.dev/attestation/vuln/', 'Result of a scan'],
];

/** What a signed statement is, in a word; the type itself where nobody gave it one. */
export function wordOfPredicate(predicateType: string): string {
  return words.find(([prefix]) => predicateType.startsWith(prefix))?.[1] ?? predicateType;
}
