import type { Verdict } from './decide.ts';
import type { Policy } from './document.ts';
import { deny } from './rules/deny.ts';
import { signed } from './rules/signed.ts';

/** Of signatures one that counts is enough, whatever else is found, and a denied signer's are passed over. */
const addsUp: readonly string[] = [signed.name, deny.name];

/**
 * Whether one more attestation could turn this yes into a no: every other rule goes by the newest of them,
 * and where several hold, by the one that denies. So a yes that rests on signatures alone is final
 * with the first of them, and any other has to have seen what there is.
 */
export function canBeOverruled(verdict: Verdict, policies: readonly Policy[]): boolean {
  return verdict.decisions.some(({ policy: { digest }, scope: match }) => {
    const policy = policies.find((one) => one.digest === digest);
    const scope = policy?.scopes.find((one) => one.match === match);
    return Object.keys(scope?.require ?? {}).some((rule) => !addsUp.includes(rule));
  });
}
