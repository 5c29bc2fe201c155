import type { Verified } from '../attest/verified.ts';
import { no, type Outcome, yes } from '../base/outcome.ts';
import type { Digest } from '../oci/digest.ts';
import { judgeStatement } from './attestations.ts';
import { earliestNow } from './clock.ts';
import type { DatedRoot } from './dated-root.ts';
import { contextOf } from './decide.ts';
import type { Policy } from './document.ts';
import { judgeRoot, usesRoots } from './root-age.ts';
import { describePolicySigner } from './signer.ts';

/** A proven statement about a record of a layer, and what a policy needs to judge it. */
export interface SharedRecord {
  readonly verified: Verified;
  readonly record: Digest;
  readonly now: Date;
  /** Of the roots by which it was proven. */
  readonly dates: readonly DatedRoot[];
}

/**
 * Whether the policy takes this signer's word about layers: one of those it names, not on its deny list,
 * within the signer's time, in as many logs as it wants, by a root that is not too old. A policy without
 * `layerCache` takes nobody's.
 *
 * @returns the policy's name for the signer, or why not: one clause, safe to print.
 */
export function judgeSharedRecord(
  policy: Policy,
  { dates, now, record, verified }: SharedRecord,
): Outcome<string, string> {
  // The deny list stands in every scope.
  const [scope] = policy.scopes;
  if (policy.layerCache.length === 0 || scope === undefined) {
    return no('the policy names no signers of a layer cache');
  }
  const roots = usesRoots(policy) ? dates : [];
  const stale = roots
    .map((root) => judgeRoot(root, policy, now))
    .find(({ mode, outcome }) => mode === 'enforce' && outcome !== 'pass');
  if (stale !== undefined) {
    return no(stale.message);
  }
  const earliest = earliestNow({ now, candidates: [{ source: record, outcome: yes(verified) }] }, roots);
  const wanted = { terms: { by: policy.layerCache }, about: [record] };
  const judged = judgeStatement(verified, wanted, contextOf(policy, scope), { now, earliest });
  return 'signer' in judged
    ? yes(judged.signer)
    : no(`signed by ${describePolicySigner(verified.signer)}${judged.why}`);
}
