import type { ProvenSigner, Verified } from '../attest/verified.ts';
import { plural, printable } from '../base/text.ts';
import { otherHashOf, type SbomFacts } from '../bom/read.ts';
import type { Digest } from '../oci/digest.ts';
import { earliestNow } from './clock.ts';
import type { Candidate, Evidence } from './evidence.ts';
import { ownerKey, signerKey } from './identity.ts';
import type { NearMiss, RuleContext, SigningTerms } from './rule.ts';
import { isDenied } from './rules/deny.ts';
import {
  describePolicySigner,
  describeTrusted,
  mismatch,
  outsideWindow,
  suggestSigner,
  type TrustedSigner,
} from './signer.ts';
import { isInFuture, toMilliseconds } from './times.ts';

export interface WantedAttestation {
  /** Decides by the signed predicate type: a signature is not an attestation and the reverse. */
  readonly isType: (predicateType: string) => boolean;
  readonly terms: SigningTerms;
  /** The statement must be about one of these. */
  readonly about: readonly Digest[];
  /** Why a statement that fits otherwise does not count; `undefined` where it does. */
  readonly refuse?: (verified: Verified) => string | undefined;
}

export interface Accepted {
  readonly candidate: Candidate;
  readonly verified: Verified;
  /** The policy's name for who signed. */
  readonly signer: string;
}

export interface Matched {
  readonly accepted: readonly Accepted[];
  readonly nearMisses: readonly NearMiss[];
  /** Candidates whose signature did not verify at all. They never hide a good one. */
  readonly rejected: number;
}

/**
 * Takes from all candidates those that are of the wanted type, about this image, by a trusted signer and in
 * enough logs.
 */
export function matchCandidates(
  evidence: Evidence,
  context: RuleContext,
  wanted: WantedAttestation,
): Matched {
  const accepted: Accepted[] = [];
  const nearMisses: NearMiss[] = [];
  let rejected = 0;
  const earliest = earliestNow(evidence);
  for (const candidate of evidence.candidates) {
    const { outcome, source } = candidate;
    if (!outcome.ok) {
      rejected += 1;
      continue;
    }
    const verified = outcome.value;
    if (!wanted.isType(verified.statement.predicateType)) {
      continue;
    }
    const judged = judgeStatement(verified, wanted, context, { now: evidence.now, earliest });
    if ('signer' in judged) {
      accepted.push({ candidate, verified, signer: judged.signer });
    } else {
      nearMisses.push({
        source,
        message: `signed by ${describePolicySigner(verified.signer)}${judged.why}`,
        ...judged.more,
      });
    }
  }
  return { accepted, nearMisses, rejected };
}

/**
 * The clauses in which a proven statement has to hold, one after the other; the first that fails is the
 * reason.
 */
export function judgeStatement(
  verified: Verified,
  { about, refuse, terms }: Omit<WantedAttestation, 'isType'>,
  context: RuleContext,
  { earliest, now }: { readonly now: Date; readonly earliest: Date },
): { readonly signer: string } | { readonly why: string; readonly more?: Pick<NearMiss, 'suggestion'> } {
  // before anything else, so that no entry of signers brings a revoked one back.
  if (isDenied(verified.signer, context)) {
    return { why: ', who is on the deny list' };
  }
  // a good signature for another image of the same repository.
  if (!covers(verified, about)) {
    const subjects = verified.statement.subjects.flatMap((subject) => subject.digests).slice(0, 3);
    return { why: `, but about ${subjects.join(', ') || 'no digest'}` };
  }
  const trusted = trustedBy(terms.by, context);
  const reasons = trusted.map((one) => ({ one, why: mismatchNow(one, verified, earliest) }));
  const match = reasons.find(({ why }) => why === undefined);
  if (match === undefined) {
    const suggestion = suggestSigner(verified.signer);
    return {
      why: `: ${reasons.map(({ one, why }) => `not ${one.name} (${why})`).join(', ')}`,
      ...(suggestion === undefined ? {} : { more: { suggestion } }),
    };
  }
  // Each policy asks for its own number of logs, so what another policy was content with does not count here.
  const needed = context.logs[verified.signer.kind];
  const seen = new Set(verified.logs.map((log) => log.logId)).size;
  if (seen < needed) {
    return { why: `, but in ${plural(seen, 'transparency log')} where the policy wants ${needed}` };
  }
  const why = wrongTime(verified, terms, now) ?? refuse?.(verified);
  return why === undefined ? { signer: match.one.name } : { why: `, but ${why}` };
}

function mismatchNow(one: TrustedSigner, verified: Verified, now: Date): string | undefined {
  const why = mismatch(one, verified.signer);
  if (why !== undefined) {
    return why;
  }
  const outside = outsideWindow(one, verified, now);
  return outside === undefined ? undefined : `its signatures of ${outside.toISOString()} do not count`;
}

/**
 * what a registry keeps showing after something newer was said. The earliest trusted time is that
 * of the signature.
 */
function wrongTime({ times }: Verified, { maxAge, notBefore }: SigningTerms, now: Date): string | undefined {
  if (maxAge === undefined && notBefore === undefined) {
    return undefined;
  }
  const [time] = times;
  if (time === undefined) {
    return 'nothing proves when';
  }
  // With a clock that was set back everything looks new.
  if (isInFuture(time, now)) {
    return `at ${time.toISOString()}, which is later than this clock says it is`;
  }
  if (maxAge !== undefined && now.getTime() - time.getTime() > toMilliseconds(maxAge)) {
    return `at ${time.toISOString()}, more than ${maxAge} ago`;
  }
  if (notBefore !== undefined && time < new Date(notBefore)) {
    return `at ${time.toISOString()}, before ${notBefore}`;
  }
  return undefined;
}

/** Whether enough distinct identities, keys or owners stand behind what was accepted (k of n). */
export function isEnough(accepted: readonly Accepted[], terms: SigningTerms): boolean {
  const { threshold = 1 } = terms;
  return new Set(accepted.map(({ verified }) => distinctKey(verified.signer, terms))).size >= threshold;
}

/** The names of the policy for everybody who signed, each signer once. */
export function distinctSigners(accepted: readonly Accepted[]): readonly string[] {
  return [...new Map(accepted.map(({ signer, verified }) => [signerKey(verified.signer), signer])).values()];
}

function distinctKey(signer: ProvenSigner, { distinct }: SigningTerms): string {
  return distinct === 'owners' ? ownerKey(signer) : signerKey(signer);
}

/** any subject will do. */
function covers(verified: Verified, about: readonly Digest[]): boolean {
  return verified.statement.subjects.some((subject) =>
    subject.digests.some((digest) => about.includes(digest)),
  );
}

function trustedBy(by: readonly string[], context: RuleContext): readonly TrustedSigner[] {
  return by.flatMap((name) => context.signers.get(name) ?? []);
}

/** `by a: ... or b: ...`, `by 2 of a: ..., b: ...` */
export function describeWanted({ by, distinct, threshold = 1 }: SigningTerms, context: RuleContext): string {
  const names = trustedBy(by, context).map(describeTrusted);
  return threshold === 1
    ? `by ${names.join(' or ')}`
    : `by ${threshold} distinct ${distinct ?? 'signers'} of ${names.join(', ')}`;
}

/** `found 1 other one and 3 candidates that did not verify` */
export function describeRest(matched: Pick<Matched, 'accepted' | 'rejected' | 'nearMisses'>): string {
  const who = distinctSigners(matched.accepted);
  const near = matched.nearMisses.length;
  const parts = [
    ...(who.length === 0 ? [] : [`only that of ${who.join(', ')}`]),
    ...(near === 0 ? [] : [`${plural(near, 'other one')}`]),
    ...(matched.rejected === 0 ? [] : [`${plural(matched.rejected, 'candidate')} that did not verify`]),
  ];
  return parts.length === 0 ? 'found nothing' : `found ${parts.join(' and ')}`;
}

export interface TrustedSbom {
  readonly source: Digest;
  readonly signer: string;
  /** `undefined` where the signed document cannot be read; `why` says so. */
  readonly facts: SbomFacts | undefined;
  readonly why: string;
}

export interface ChosenSbom extends Matched {
  /** The SBOMs in force: all of them count, and one that denies is enough. */
  readonly current: readonly TrustedSbom[];
}

/**
 * From accepted CycloneDX attestations those whose document describes this very image, and of these the
 * newest by trusted time: an older one that is still validly signed must not bring back what it did not know
 * (A-85).
 */
export function chooseSboms(matched: Matched, evidence: Evidence, terms: SigningTerms): ChosenSbom {
  const known = new Set<string>(
    [evidence.image.digest, evidence.platform, evidence.config].filter((digest) => digest !== undefined),
  );
  const nearMisses = [...matched.nearMisses];
  const fitting = matched.accepted.filter(({ candidate }) => {
    if (candidate.sbom === undefined) {
      return false;
    }
    if (!candidate.sbom.ok) {
      return true;
    }
    const { isVex, subject } = candidate.sbom.value;
    if (isVex) {
      nearMisses.push({
        source: candidate.source,
        message: 'attested for this image, but the document is a VEX: it lists what is affected',
      });
      return false;
    }
    const other = otherHashOf(subject, known);
    if (other === undefined && subject.digests.some((digest) => known.has(digest))) {
      return true;
    }
    const about = other ?? (subject.digests.slice(0, 3).join(', ') || 'no digest');
    nearMisses.push({
      source: candidate.source,
      message: `attested for this image, but the SBOM itself describes ${about}`,
    });
    return false;
  });
  return { ...matched, accepted: fitting, nearMisses, current: inForce(fitting, terms).map(toTrustedSbom) };
}

/**
 * Of what was accepted, what counts today: the newest by trusted time, and what cannot be placed in time
 * . Where several have to speak, the newest of each of them. Nothing where too few have spoken.
 */
export function inForce(accepted: readonly Accepted[], terms: SigningTerms): readonly Accepted[] {
  if (!isEnough(accepted, terms)) {
    return [];
  }
  const groups = Map.groupBy(accepted, ({ verified }) =>
    (terms.threshold ?? 1) > 1 ? distinctKey(verified.signer, terms) : '',
  );
  return [...groups.values()].flatMap(newestOf);
}

function newestOf(accepted: readonly Accepted[]): readonly Accepted[] {
  const times = accepted.flatMap(({ verified }) => verified.times[0]?.getTime() ?? []);
  const newest = times.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY);
  return accepted.filter(({ verified }) => (verified.times[0]?.getTime() ?? newest) === newest);
}

function toTrustedSbom({ candidate: { sbom, source }, signer }: Accepted): TrustedSbom {
  return sbom?.ok === true
    ? { source, signer, facts: sbom.value, why: '' }
    : { source, signer, facts: undefined, why: printable(sbom?.reason.message ?? 'it is not CycloneDX') };
}
