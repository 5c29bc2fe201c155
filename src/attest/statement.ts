import type { Digest } from '../oci/digest.ts';

/** in-toto Statement v0.1 or v1, after the strict parser. */
export interface Statement {
  readonly type: string;
  readonly subjects: readonly StatementSubject[];
  readonly predicateType: string;
  /** Plain JSON; `undefined` where cosign before 3.0.5 left it out. */
  readonly predicate: unknown;
}

export interface StatementSubject {
  readonly name?: string;
  /** The `sha256` and `sha512` entries; entries of other algorithms are not digests to us. */
  readonly digests: readonly Digest[];
  readonly annotations: Readonly<Record<string, string>>;
}

export const payloadType = 'application/vnd.in-toto+json';

export const predicateTypes = {
  signature: 'https://sigstore.dev/cosign/sign/v1',
  cyclonedx: 'https://cyclonedx.org/bom',
  spdx: 'https://spdx.dev/Document',
  provenance: 'https://slsa.dev/provenance/v1',
} as const;
