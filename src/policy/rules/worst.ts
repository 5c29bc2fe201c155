import { plural } from '../../base/text.ts';
import type { SbomComponent, SbomFacts } from '../../bom/read.ts';
import { type ChosenSbom, describeRest } from '../attestations.ts';
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

/**
 * Asks every SBOM in force about the components that are in the image, and keeps the worst answer. Components
 * that are not in it by the word of the document (`scope: excluded`, `isExternal`) satisfy nothing and deny
 * nothing; an answer says how many were passed over.
 */
export function sayWorst(
  rule: string,
  chosen: ChosenSbom,
  judge: (facts: SbomFacts, absent: readonly SbomComponent[]) => Said,
): Finding {
  const { nearMisses } = chosen;
  const worst = worstOf(
    chosen.current.map(({ facts, why }) =>
      facts === undefined
        ? { outcome: 'cannot-tell', message: `the attested SBOM cannot be read: ${why}` }
        : judgePresent(facts, judge),
    ),
  );
  if (worst !== undefined) {
    return { rule, nearMisses, ...worst };
  }
  return {
    rule,
    outcome: 'cannot-tell',
    message: 'there is no trusted CycloneDX SBOM to look into',
    actual: describeRest(chosen),
    hint: 'attest one with tcf sign',
    nearMisses,
  };
}

function judgePresent(facts: SbomFacts, judge: Parameters<typeof sayWorst>[2]): Said {
  const present = facts.components.filter((component) => component.absent === undefined);
  const absent = facts.components.filter((component) => component.absent !== undefined);
  const said = judge({ ...facts, components: present }, absent);
  if (absent.length === 0) {
    return said;
  }
  return {
    ...said,
    message: `${said.message}; the SBOM says that ${plural(absent.length, 'more component')} ${absent.length === 1 ? 'is' : 'are'} not in the image`,
  };
}
