import { z } from 'zod';
import { chooseSboms, describeRest, describeWanted, type SbomChoice, sift } from '../attestations.ts';
import { type Evidence, isCyclonedx, isSpdx, manifestsOf } from '../evidence.ts';
import { type CommonParams, type Finding, mode, type Rule, type RuleContext, signerNames } from '../rule.ts';

export type SbomFormat = 'cyclonedx' | 'spdx';

export interface SbomParams extends CommonParams {
  readonly by: readonly string[];
  readonly formats?: readonly SbomFormat[] | undefined;
}

const params: z.ZodType<SbomParams> = z.strictObject({
  by: signerNames,
  formats: z
    .array(z.enum(['cyclonedx', 'spdx']))
    .min(1)
    .optional()
    .describe('formats that will do; the default is cyclonedx, the only one whose content rules can read'),
  mode,
});

export const sbom: Rule<SbomParams> = {
  name: 'sbom',
  summary: 'An SBOM that describes this very image is attested by a trusted signer.',
  params,
  evaluate({ by, formats = ['cyclonedx'] }, evidence, context) {
    const expected = `an SBOM (${formats.join(' or ')}) of this image, attested by ${describeWanted(by, context)}`;
    const chosen = trustedSboms(by, evidence, context);
    const say = (outcome: Finding['outcome'], message: string, more: Partial<Finding> = {}): Finding => ({
      rule: 'sbom',
      outcome,
      message,
      expected,
      nearMisses: chosen.nearMisses,
      ...more,
    });
    if (formats.includes('cyclonedx')) {
      const unreadable = chosen.current.find(({ facts }) => facts === undefined);
      if (unreadable !== undefined) {
        return say('cannot-tell', `the attested SBOM cannot be read: ${unreadable.why}`, {
          hint: 'attest the SBOM again with tcf sign',
        });
      }
      const newest = chosen.current[0];
      if (newest !== undefined) {
        return say(
          'pass',
          `an SBOM of ${newest.facts?.components.length ?? 0} components is attested by ${newest.signer}`,
        );
      }
    }
    if (formats.includes('spdx')) {
      const first = sift(evidence, context, { isType: isSpdx, by, about: manifestsOf(evidence) }).accepted[0];
      if (first !== undefined)
        return say('pass', `an SPDX SBOM is attested by ${first.signer}; its content was not read`);
    }
    return say('fail', 'no SBOM of this image is attested by a trusted signer', {
      actual: describeRest(chosen),
      hint: `attest one as ${by.join(' or ')} with tcf sign`,
    });
  },
};

function trustedSboms(by: readonly string[], evidence: Evidence, context: RuleContext): SbomChoice {
  const sifted = sift(evidence, context, { isType: isCyclonedx, by, about: manifestsOf(evidence) });
  return chooseSboms(sifted, evidence);
}

/**
 * The SBOMs that the rule `sbom` of this scope accepts. Rules about content look at these and at no other, so that they cannot be
 * answered by a document that nobody trusted has signed.
 */
export function sbomsInForce(evidence: Evidence, context: RuleContext): SbomChoice {
  const parsed = params.safeParse(context.require['sbom']);
  return trustedSboms(parsed.success ? parsed.data.by : [], evidence, context);
}
