import { isDeepStrictEqual } from 'node:util';
import { parseBundle } from '../attest/bundle.ts';
import { parseStatement } from '../attest/statement.ts';
import type { Trust } from '../attest/trusted-root.ts';
import type { ProvenSigner, Verified } from '../attest/verified.ts';
import { verifyAttestation } from '../attest/verify.ts';
import type { Digest } from '../oci/digest.ts';
import type { FoundBundle } from './found-bundle.ts';

export interface WantedStatement {
  /** What would be signed now: the JSON of a statement. */
  readonly statement: Uint8Array;
  readonly subject: Digest;
  readonly trust: Trust;
  /** Whether this is who would sign now. */
  readonly isSigner: (signer: ProvenSigner) => boolean;
  readonly now: Date;
}

/**
 * A bundle that is there already and says the same about the same image by the same signer, with proof:
 * signing once more would add nothing. What is not proven does not count, else anybody could keep an image
 * from being signed by attaching a bundle that looks right.
 */
export function findEquivalent(
  found: readonly FoundBundle[],
  wanted: WantedStatement,
): { readonly source: Digest; readonly verified: Verified } | undefined {
  const statement = parseStatement(wanted.statement);
  if (!statement.ok) {
    throw new Error(`the statement to sign is malformed: ${statement.reason.message}`);
  }
  for (const entry of found) {
    // What cosign 2 wrote says the same, but readers of bundles do not find it.
    if (!entry.ok || !('bundle' in entry)) {
      continue;
    }
    const bundle = parseBundle(entry.bundle);
    if (!bundle.ok) {
      continue;
    }
    const proof = verifyAttestation(bundle.value, wanted.trust, { subject: wanted.subject }, wanted.now);
    if (!proof.ok || !wanted.isSigner(proof.value.signer)) {
      continue;
    }
    if (isDeepStrictEqual(proof.value.statement, statement.value)) {
      return { source: entry.source, verified: proof.value };
    }
  }
  return undefined;
}
