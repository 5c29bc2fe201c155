import { z } from 'zod';
import { predicateTypes } from '../../attest/statement.ts';
import type { Digest } from '../../oci/digest.ts';
import { describeRest, describeWanted, sift } from '../attestations.ts';
import type { Evidence } from '../evidence.ts';
import { type CommonParams, type MultiArch, mode, type Rule, signerNames } from '../rule.ts';

export interface SignedParams extends CommonParams {
  readonly by: readonly string[];
}

/** An SBOM attestation by the same signer is no signature of the image. */
export const signed: Rule<SignedParams> = {
  name: 'signed',
  summary: 'The image is signed by a trusted signer.',
  params: z.strictObject({ by: signerNames, mode }),
  evaluate(params, evidence, context) {
    const sifted = sift(evidence, context, {
      isType: (type) => type === predicateTypes.signature,
      by: params.by,
      about: signable(evidence, context.multiArch),
    });
    const expected = `a signature by ${describeWanted(params.by, context)}`;
    const { nearMisses } = sifted;
    const first = sifted.accepted[0];
    if (first !== undefined) {
      return {
        rule: 'signed',
        outcome: 'pass',
        message: `the image is signed by ${first.signer}`,
        expected,
        nearMisses,
      };
    }
    return {
      rule: 'signed',
      outcome: 'fail',
      message: 'the image has no signature by a trusted signer',
      expected,
      actual: describeRest(sifted),
      hint: `sign ${signable(evidence, context.multiArch)[0]} as ${params.by.join(' or ')}, or name in the policy who signed it`,
      nearMisses,
    };
  },
};

/** The digests a signature may be about. `image.digest` is the index where the name leads to one. */
function signable({ image, platform }: Evidence, multiArch: MultiArch): readonly Digest[] {
  const manifest = platform ?? image.digest;
  return { index: [image.digest], platform: [manifest], either: [image.digest, manifest] }[multiArch];
}
