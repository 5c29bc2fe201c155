import { toPredicateType } from '../../attest/predicate.ts';
import { describeRest, describeWanted, distinctSigners, isEnough, matchCandidates } from '../attestations.ts';
import { type Evidence, manifestsOf } from '../evidence.ts';
import { described, type Form, list, mapping, textThat } from '../form.ts';
import {
  type CommonParams,
  type Finding,
  mode,
  type Rule,
  type RuleContext,
  type SigningTerms,
  signingTerms,
} from '../rule.ts';

export interface AttestedParams extends CommonParams {
  readonly predicates: readonly WantedPredicate[];
}

interface WantedPredicate extends SigningTerms {
  readonly type: string;
}

const predicate: Form<WantedPredicate> = mapping({
  type: described(
    textThat(
      (type) => toPredicateType(type) !== undefined,
      'is not a predicate type: a URI, or a short name of cosign such as vuln, openvex or custom',
    ),
    'predicate type: a URI, or a short name of cosign such as vuln, openvex or custom',
  ),
  ...signingTerms,
});

/** For the predicates whose content has no rule of its own; `expressions` looks into them. */
export const attested: Rule<AttestedParams> = {
  name: 'attested',
  summary: 'Each wanted predicate about the image is attested by a trusted signer.',
  params: mapping({ predicates: list(predicate), mode }),
  evaluate({ predicates }, evidence, context) {
    const findings = predicates.map((wanted) => look(wanted, evidence, context));
    const missing = findings.find(({ outcome }) => outcome === 'fail');
    if (missing !== undefined) {
      return missing;
    }
    return {
      rule: 'attested',
      outcome: 'pass',
      message: findings.map(({ message }) => message).join(', '),
      nearMisses: findings.flatMap(({ nearMisses = [] }) => nearMisses),
    };
  },
};

function look(wanted: WantedPredicate, evidence: Evidence, context: RuleContext): Finding {
  const uri = toPredicateType(wanted.type);
  const matched = matchCandidates(evidence, context, {
    isType: (type) => type === uri,
    terms: wanted,
    about: manifestsOf(evidence),
  });
  const common = {
    rule: 'attested',
    expected: `${wanted.type} attested ${describeWanted(wanted, context)}`,
    nearMisses: matched.nearMisses,
  };
  return isEnough(matched.accepted, wanted)
    ? {
        ...common,
        outcome: 'pass',
        message: `${wanted.type} is attested by ${distinctSigners(matched.accepted).join(' and ')}`,
      }
    : {
        ...common,
        outcome: 'fail',
        message: `${wanted.type} is not attested by a trusted signer`,
        actual: describeRest(matched),
        hint: `attest it as ${wanted.by.join(' or ')} with tcf sign --attest ${wanted.type}=FILE`,
      };
}
