import type { SbomFacts } from '../../bom/read.ts';
import { describeRest, type SbomChoice } from '../attestations.ts';
import type { Finding } from '../rule.ts';

/** What a rule about content says of one document. */
export type Said = Pick<Finding, 'actual' | 'hint' | 'message' | 'outcome'>;

/** Where documents differ, any no wins, and then any doubt. */
export function worstOf(said: readonly Said[]): Said | undefined {
  return (
    said.find(({ outcome }) => outcome === 'fail') ??
    said.find(({ outcome }) => outcome === 'cannot-tell') ??
    said[0]
  );
}

/** Asks every SBOM in force and keeps the worst answer. */
export function sayWorst(rule: string, chosen: SbomChoice, judge: (facts: SbomFacts) => Said): Finding {
  const { nearMisses } = chosen;
  const worst = worstOf(
    chosen.current.map(({ facts, why }) =>
      facts === undefined
        ? { outcome: 'cannot-tell', message: `the attested SBOM cannot be read: ${why}` }
        : judge(facts),
    ),
  );
  if (worst !== undefined) return { rule, nearMisses, ...worst };
  return {
    rule,
    outcome: 'cannot-tell',
    message: 'there is no trusted CycloneDX SBOM to look into',
    actual: describeRest(chosen),
    hint: 'attest one with tcf sign',
    nearMisses,
  };
}
