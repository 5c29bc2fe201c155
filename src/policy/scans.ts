import { TcfError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { type AttestedScan, parseVulnsPredicate, vulnsPredicateType } from '../vulns/attested-scan.ts';
import { inForce, type Matched, matchCandidates } from './attestations.ts';
import { type Evidence, manifestsOf } from './evidence.ts';
import type { RuleContext, SigningTerms } from './rule.ts';

/** A scan that counts, or why it cannot be read. */
export type ReadScan = { readonly scan: AttestedScan } | { readonly why: string };

/** The scans of this image by these signers that are in force. */
export function scansInForce(
  terms: SigningTerms,
  evidence: Evidence,
  context: RuleContext,
): Matched & { readonly current: readonly ReadScan[] } {
  const matched = matchCandidates(evidence, context, {
    isType: (type) => type === vulnsPredicateType,
    terms,
    about: manifestsOf(evidence),
  });
  return {
    ...matched,
    current: inForce(matched.accepted, terms).map(({ verified }) => readScan(verified.statement.predicate)),
  };
}

function readScan(predicate: unknown): ReadScan {
  try {
    return { scan: parseVulnsPredicate(predicate, 'the attested scan') };
  } catch (error) {
    if (error instanceof TcfError) {
      return { why: printable(error.message) };
    }
    throw error;
  }
}
