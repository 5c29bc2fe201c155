import type { SbomFacts } from '../../bom/read.ts';
import { describeRest, type SbomChoice } from '../attestations.ts';
import type { Finding } from '../rule.ts';

/** What a rule about content says of one SBOM. */
export type Said = Pick<Finding, 'actual' | 'hint' | 'message' | 'outcome'>;

/** Asks every SBOM in force and keeps the worst answer: where they differ, any no wins. */
export function sayWorst(rule: string, chosen: SbomChoice, judge: (facts: SbomFacts) => Said): Finding {
  const { nearMisses } = chosen;
  const said = chosen.current.map(
    ({ facts, why }): Said =>
      facts === undefined
        ? { outcome: 'cannot-tell', message: `the attested SBOM cannot be read: ${why}` }
        : judge(facts),
  );
  const worst =
    said.find(({ outcome }) => outcome === 'fail') ??
    said.find(({ outcome }) => outcome === 'cannot-tell') ??
    said[0];
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
