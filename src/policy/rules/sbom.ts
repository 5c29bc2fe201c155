import {
  type ChosenSbom,
  chooseSboms,
  describeRest,
  describeWanted,
  distinctSigners,
  isEnough,
  matchCandidates,
  type TrustedSbom,
} from '../attestations.ts';
import { type Evidence, isCyclonedx, isSpdx, manifestsOf } from '../evidence.ts';
import { choice, type Form, list, mapping, optional, readForm, such } from '../form.ts';
import {
  type CommonParams,
  type Finding,
  mode,
  type Rule,
  type RuleContext,
  type SigningTerms,
  signingTerms,
} from '../rule.ts';

export type AcceptedFormat = 'cyclonedx' | 'spdx';

export interface SbomParams extends CommonParams, SigningTerms {
  readonly formats?: readonly AcceptedFormat[] | undefined;
  readonly complete?: true | undefined;
}

const shape = mapping({
  ...signingTerms,
  formats: optional(
    list(choice('cyclonedx', 'spdx')),
    'formats that will do; the default is cyclonedx, the only one whose content rules can read',
  ),
  complete: optional(
    choice(true),
    'the SBOM itself says that it is complete: nothing was skipped, nothing is unknown',
  ),
  mode,
});

const params: Form<SbomParams> = such(
  shape,
  ({ complete, formats }) =>
    complete === true && formats?.includes('spdx') === true
      ? 'cannot be asked of SPDX, which does not say it'
      : undefined,
  { member: 'complete' },
);

export const sbom: Rule<SbomParams> = {
  name: 'sbom',
  summary: 'An SBOM that describes this very image is attested by a trusted signer.',
  params,
  evaluate(terms, evidence, context) {
    const { by, formats = ['cyclonedx'] } = terms;
    const chosen = trustedSboms(terms, evidence, context);
    const say = (outcome: Finding['outcome'], message: string, more: Partial<Finding> = {}): Finding => ({
      rule: 'sbom',
      outcome,
      message,
      expected: `an SBOM (${formats.join(' or ')}) of this image, attested ${describeWanted(terms, context)}`,
      nearMisses: chosen.nearMisses,
      ...more,
    });
    if (formats.includes('cyclonedx') && chosen.current.length > 0) {
      const trouble =
        terms.complete === true ? (unreadable(chosen) ?? incomplete(chosen)) : unreadable(chosen);
      if (trouble !== undefined) {
        return say(...trouble);
      }
      const newest = chosen.current[0]?.facts?.components.length ?? 0;
      return say('pass', `an SBOM of ${newest} components is attested by ${names(chosen.current)}`);
    }
    if (formats.includes('spdx')) {
      const { accepted } = matchCandidates(evidence, context, {
        isType: isSpdx,
        terms,
        about: manifestsOf(evidence),
      });
      if (isEnough(accepted, terms)) {
        const who = distinctSigners(accepted).join(' and ');
        return say('pass', `an SPDX SBOM is attested by ${who}; its content was not read`);
      }
    }
    return say('fail', 'no SBOM of this image is attested by a trusted signer', {
      actual: describeRest(chosen),
      hint: `attest one as ${by.join(' or ')} with tcf sign`,
    });
  },
};

type Trouble = readonly [Finding['outcome'], string, Partial<Finding>];

function unreadable({ current }: ChosenSbom): Trouble | undefined {
  const broken = current.find(({ facts }) => facts === undefined);
  return broken === undefined
    ? undefined
    : [
        'cannot-tell',
        `the attested SBOM cannot be read: ${broken.why}`,
        { hint: 'attest the SBOM again with tcf sign' },
      ];
}

/** A document that does not say how complete it is, is not. */
function incomplete({ current }: ChosenSbom): Trouble | undefined {
  const partial = current.find(({ facts }) => facts?.complete !== true);
  return partial === undefined
    ? undefined
    : [
        'fail',
        'the SBOM does not say that it is complete',
        {
          actual: partial.facts?.complete === false ? 'it says that it is not' : 'it says nothing about it',
          hint: 'tcf sbom prints what it had to skip; fix that in the image',
        },
      ];
}

function names(current: readonly TrustedSbom[]): string {
  return [...new Set(current.map(({ signer }) => signer))].join(' and ');
}

function trustedSboms(terms: SbomParams, evidence: Evidence, context: RuleContext): ChosenSbom {
  const matched = matchCandidates(evidence, context, {
    isType: isCyclonedx,
    terms,
    about: manifestsOf(evidence),
  });
  return chooseSboms(matched, evidence, terms);
}

/**
 * The SBOMs that the rule `sbom` of this scope accepts. Rules about content look at these and at no other, so
 * that they cannot be answered by a document that nobody trusted has signed.
 */
export function sbomsInForce(evidence: Evidence, context: RuleContext): ChosenSbom {
  const parsed = readForm(params, context.require['sbom']);
  return trustedSboms(parsed.ok ? parsed.value : { by: [] }, evidence, context);
}
