import { predicateTypes } from '../../attest/statement.ts';
import type { Verified } from '../../attest/verified.ts';
import { plural, printable } from '../../base/text.ts';
import type { Digest } from '../../oci/digest.ts';
import { describeRest, describeWanted, distinctSigners, isEnough, matchCandidates } from '../attestations.ts';
import type { Evidence } from '../evidence.ts';
import { asking, type Form, mapping, optional, table, text, textOrNothing } from '../form.ts';
import {
  type CommonParams,
  type MultiArch,
  mode,
  type Rule,
  type SigningTerms,
  signingTerms,
} from '../rule.ts';

export interface SignedParams extends CommonParams, SigningTerms {
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const params: Form<SignedParams> = mapping({
  ...signingTerms,
  annotations: optional(
    asking(table(text, textOrNothing)),
    'annotations that were signed with the image (tcf sign -a, cosign sign -a), with their values',
  ),
  mode,
});

/** An SBOM attestation by the same signer is not a signature of the image. */
export const signed: Rule<SignedParams> = {
  name: 'signed',
  summary: 'The image is signed by a trusted signer.',
  params,
  evaluate(terms, evidence, context) {
    const about = signable(evidence, context.multiArch);
    const matched = matchCandidates(evidence, context, {
      isType: (type) => type === predicateTypes.signature,
      terms,
      about,
      refuse: (verified) => wrongAnnotation(verified, about, terms.annotations ?? {}),
    });
    const common = {
      rule: 'signed',
      expected: `a signature ${describeWanted(terms, context)}`,
      nearMisses: matched.nearMisses,
    };
    if (isEnough(matched.accepted, terms)) {
      const names = distinctSigners(matched.accepted).join(' and ');
      return { ...common, outcome: 'pass', message: `the image is signed by ${names}` };
    }
    const { threshold = 1 } = terms;
    return {
      ...common,
      outcome: 'fail',
      message:
        threshold === 1
          ? 'the image has no signature by a trusted signer'
          : `the image is not signed by ${plural(threshold, 'distinct trusted signer')}`,
      actual: describeRest(matched),
      hint: `sign ${about[0]} as ${terms.by.join(' or ')}, or name in the policy who signed it`,
    };
  },
};

/** only what was signed counts, and only beside the subject that is this image. */
function wrongAnnotation(
  { statement }: Verified,
  about: readonly Digest[],
  wanted: Readonly<Record<string, string>>,
): string | undefined {
  const subjects = statement.subjects.filter(({ digests }) =>
    digests.some((digest) => about.includes(digest)),
  );
  const missing = Object.entries(wanted).find(
    ([key, value]) =>
      !subjects.some(({ annotations }) => Object.hasOwn(annotations, key) && annotations[key] === value),
  );
  return missing === undefined ? undefined : `without ${printable(missing[0])}=${printable(missing[1])}`;
}

/** The digests a signature may be about. `image.digest` is the index where the name leads to one. */
function signable({ image, platform }: Evidence, multiArch: MultiArch): readonly Digest[] {
  const manifest = platform ?? image.digest;
  return { index: [image.digest], platform: [manifest], either: [image.digest, manifest] }[multiArch];
}
