import type { ProvenanceFacts } from '../attest/provenance.ts';
import { contextOf } from './decide.ts';
import type { Policy } from './document.ts';
import type { Evidence } from './evidence.ts';
import { provenancesInForce } from './rules/provenance.ts';
import { mostSpecific } from './scope.ts';

/** The provenances in force by every policy that asks for one, those aside that cannot be read. */
export function acceptedProvenances(judged: ReadonlyMap<Policy, Evidence>): readonly ProvenanceFacts[] {
  return [...judged].flatMap(([policy, evidence]) => {
    const scope = mostSpecific(policy.scopes, evidence.image);
    return scope?.require['provenance'] === undefined
      ? []
      : provenancesInForce(evidence, contextOf(policy, scope)).current.flatMap(({ facts }) => facts ?? []);
  });
}
