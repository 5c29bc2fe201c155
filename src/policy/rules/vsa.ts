import { isSummary, parseSummary, reachesLevel, type SummaryFacts } from '../../attest/summary.ts';
import type { Verified } from '../../attest/verified.ts';
import { printable } from '../../base/text.ts';
import { describeRest, describeWanted, distinctSigners, inForce, matchCandidates } from '../attestations.ts';
import { type Evidence, manifestsOf } from '../evidence.ts';
import { described, type Form, list, mapping, optional, textLike } from '../form.ts';
import { parseImageUri, readImageName } from '../image-uri.ts';
import { type CommonParams, mode, type Rule, type SigningTerms, signingTerms } from '../rule.ts';
import { isInFuture, toMilliseconds } from '../times.ts';
import { type Said, worstOf } from './worst.ts';

export interface VsaParams extends CommonParams, SigningTerms {
  readonly verifier: string;
  readonly levels?: readonly string[] | undefined;
  readonly policy?: string | undefined;
  readonly resource?: string | undefined;
}

const uri = textLike(/^[a-z][a-z0-9+.-]*:[!-)+-~]{1,2000}$/, 'is not a URI, without blanks and patterns');
const word = textLike(/^[!-~]{1,200}$/, 'is not one word, such as SLSA_BUILD_LEVEL_3');

const params: Form<VsaParams> = mapping({
  ...signingTerms,
  verifier: described(
    uri,
    'verifier.id of the summary, compared whole: who verified, and whom the signers speak for',
  ),
  levels: optional(
    list(word),
    'levels that were verified, each or a higher one of its track: SLSA_BUILD_LEVEL_3',
  ),
  policy: optional(uri, 'policy.uri of the summary, compared whole; others do not count'),
  resource: optional(
    textLike(/^[!-)+-~]{1,2000}$/, 'is not a URI, without blanks and patterns'),
    'resourceUri of the summary, compared whole; the default is the name of the image itself',
  ),
  mode,
});

/**
 * A verification summary by somebody whom the policy trusts to verify, in place of what they looked at
 * (https://slsa.dev/spec/v1.2/verification_summary#how-to-verify).
 */
export const vsa: Rule<VsaParams> = {
  name: 'vsa',
  summary: 'A trusted verifier attests that the image passed its policy.',
  params,
  evaluate(terms, evidence, context) {
    const matched = matchCandidates(evidence, context, {
      isType: isSummary,
      terms,
      about: manifestsOf(evidence),
      refuse: (verified) => notOf(verified, terms),
    });
    const counting = inForce(matched.accepted, terms);
    const common = {
      rule: 'vsa',
      expected: describeDemands(terms, describeWanted(terms, context)),
      nearMisses: matched.nearMisses,
    };
    const worst = worstOf(counting.map(({ verified }) => judge(verified, terms, evidence)));
    if (worst === undefined) {
      return {
        ...common,
        outcome: 'fail',
        message: 'no verification summary of this image is attested by a trusted verifier',
        actual: describeRest(matched),
        hint: `attest one as ${terms.by.join(' or ')}, with tcf gate --attest-vsa`,
      };
    }
    if (worst.outcome !== 'pass') {
      return { ...common, ...worst };
    }
    return {
      ...common,
      outcome: 'pass',
      message: `${worst.message}, attested by ${distinctSigners(counting).join(' and ')}`,
    };
  },
};

function describeDemands({ levels = [], policy, verifier }: VsaParams, signers: string): string {
  const against = policy === undefined ? '' : ` against ${policy}`;
  return `a verification summary of ${verifier}${against} that says ${['PASSED', ...levels].join(', ')}, attested ${signers}`;
}

/**
 * A signer may speak for several verifiers and policies; the summaries of others say nothing here. One that
 * cannot be read may be of any.
 */
function notOf({ statement }: Verified, { policy, verifier }: VsaParams): string | undefined {
  const parsed = parseSummary(statement.predicate);
  if (!parsed.ok) {
    return undefined;
  }
  if (parsed.value.verifier !== verifier) {
    return `of the verifier ${printable(parsed.value.verifier)}`;
  }
  return policy === undefined || parsed.value.policy === policy
    ? undefined
    : `against the policy ${printable(parsed.value.policy ?? 'of no name')}`;
}

/** Clause by clause, as the specification has it. */
function judge({ statement }: Verified, wanted: VsaParams, evidence: Evidence): Said {
  const parsed = parseSummary(statement.predicate);
  if (!parsed.ok) {
    return {
      outcome: 'cannot-tell',
      message: `the verification summary cannot be read: ${parsed.reason.message}`,
    };
  }
  const { levels, resource, result, verifiedAt } = parsed.value;
  if (result !== 'PASSED') {
    return wrong('the verifier says that the image did not pass', result);
  }
  if (!isResource(parsed.value, wanted, evidence)) {
    return wrong('the summary is about something of another name', resource);
  }
  const missing = (wanted.levels ?? []).find((level) => !reachesLevel(levels, level));
  if (missing !== undefined) {
    return wrong(`the verifier does not say ${missing}`, levels.join(', ') || 'no level');
  }
  if (isInFuture(verifiedAt, evidence.now)) {
    return wrong('the image was verified later than this clock says it is', verifiedAt.toISOString());
  }
  const { maxAge } = wanted;
  if (maxAge !== undefined && Number(evidence.now) - Number(verifiedAt) > toMilliseconds(maxAge)) {
    return wrong(`the image was verified more than ${maxAge} ago`, verifiedAt.toISOString());
  }
  return { outcome: 'pass', message: `the image passed at ${printable(parsed.value.verifier)}` };
}

/**
 * A summary for one name must not speak for another one, where the same content may be meant for something
 * else.
 */
function isResource({ resource }: SummaryFacts, wanted: VsaParams, evidence: Evidence): boolean {
  if (wanted.resource !== undefined) {
    return resource === wanted.resource;
  }
  const named = parseImageUri(resource) ?? { name: resource.replace(/^https:\/\//, '').replace(/@.*/, '') };
  if ('digest' in named && !manifestsOf(evidence).some((digest) => digest === named.digest)) {
    return false;
  }
  const ref = readImageName(named.name);
  return ref?.registry === evidence.image.registry && ref.repository === evidence.image.repository;
}

function wrong(message: string, actual: string): Said {
  return { outcome: 'fail', message, actual: printable(actual) };
}
