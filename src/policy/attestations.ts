import type { Verified } from '../attest/verified.ts';
import { plural, printable } from '../base/text.ts';
import type { SbomFacts } from '../bom/read.ts';
import type { Digest } from '../oci/digest.ts';
import type { Candidate, Evidence } from './evidence.ts';
import type { NearMiss, RuleContext } from './rule.ts';
import { describeSigner, describeTrusted, mismatch, type TrustedSigner } from './signer.ts';

export interface Wanted {
  /** Decides by the signed predicate type: a signature is not an attestation and the reverse. */
  readonly isType: (predicateType: string) => boolean;
  readonly by: readonly string[];
  /** The statement must be about one of these. */
  readonly about: readonly Digest[];
}

export interface Accepted {
  readonly candidate: Candidate;
  readonly verified: Verified;
  /** The policy's name for who signed. */
  readonly signer: string;
}

export interface Sifted {
  readonly accepted: readonly Accepted[];
  readonly nearMisses: readonly NearMiss[];
  /** Candidates whose signature did not verify at all. They never hide a good one. */
  readonly junk: number;
}

/** Takes from all candidates those that are of the wanted type, about this image, by a trusted signer and in enough logs. */
export function sift(evidence: Evidence, context: RuleContext, wanted: Wanted): Sifted {
  const accepted: Accepted[] = [];
  const nearMisses: NearMiss[] = [];
  let junk = 0;
  for (const candidate of evidence.candidates) {
    const { outcome, source } = candidate;
    if (!outcome.ok) {
      junk += 1;
      continue;
    }
    const verified = outcome.value;
    if (!wanted.isType(verified.statement.predicateType)) continue;
    const judged = judge(verified, trustedBy(wanted.by, context), context, wanted.about);
    if ('signer' in judged) accepted.push({ candidate, verified, signer: judged.signer });
    else nearMisses.push({ source, message: judged.why });
  }
  return { accepted, nearMisses, junk };
}

function judge(
  verified: Verified,
  trusted: readonly TrustedSigner[],
  context: RuleContext,
  about: readonly Digest[],
): { readonly signer: string } | { readonly why: string } {
  const signedBy = describeSigner(verified.signer);
  // a good signature for another image of the same repository.
  if (!covers(verified, about)) {
    const subjects = verified.statement.subjects.flatMap((subject) => subject.digests).slice(0, 3);
    return { why: `signed by ${signedBy}, but about ${subjects.join(', ') || 'no digest'}` };
  }
  const reasons = trusted.map((one) => ({ name: one.name, why: mismatch(one, verified.signer) }));
  const match = reasons.find(({ why }) => why === undefined);
  if (match === undefined) {
    return {
      why: `signed by ${signedBy}: ${reasons.map(({ name, why }) => `not ${name} (${why})`).join(', ')}`,
    };
  }
  // Each policy asks for its own number of logs, so what another policy was content with does not count here.
  const needed = context.logs[verified.signer.kind];
  const seen = new Set(verified.logs.map((log) => log.logId)).size;
  if (seen < needed) {
    return {
      why: `signed by ${signedBy}, but in ${plural(seen, 'transparency log')} where the policy wants ${needed}`,
    };
  }
  return { signer: match.name };
}

/** any subject will do. */
function covers(verified: Verified, about: readonly Digest[]): boolean {
  return verified.statement.subjects.some((subject) =>
    subject.digests.some((digest) => about.includes(digest)),
  );
}

export function trustedBy(by: readonly string[], context: RuleContext): readonly TrustedSigner[] {
  return by.flatMap((name) => context.signers.get(name) ?? []);
}

export function describeWanted(by: readonly string[], context: RuleContext): string {
  return trustedBy(by, context).map(describeTrusted).join(' or ');
}

/** `found 1 near miss and 3 candidates that do not verify` */
export function describeRest(sifted: Pick<Sifted, 'junk' | 'nearMisses'>): string {
  const near = sifted.nearMisses.length;
  const parts = [
    ...(near === 0 ? [] : [`${plural(near, 'other one')}`]),
    ...(sifted.junk === 0 ? [] : [`${plural(sifted.junk, 'candidate')} that did not verify`]),
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

export interface SbomChoice extends Sifted {
  /** The SBOMs in force: all of them count, and one that denies is enough. */
  readonly current: readonly TrustedSbom[];
}

/**
 * From accepted CycloneDX attestations those whose document describes this very image, and of these the newest by trusted
 * time: an older one that is still validly signed must not bring back what it did not know. One without any trusted time
 * cannot be placed, so it counts beside the newest.
 */
export function chooseSboms(sifted: Sifted, evidence: Evidence): SbomChoice {
  const known = new Set<string>(
    [evidence.image.digest, evidence.platform, evidence.config].filter((digest) => digest !== undefined),
  );
  const nearMisses = [...sifted.nearMisses];
  const fitting = sifted.accepted.filter(({ candidate }) => {
    if (candidate.sbom === undefined) return false;
    if (!candidate.sbom.ok) return true;
    const { digests } = candidate.sbom.value.subject;
    if (digests.some((digest) => known.has(digest))) return true;
    const about = digests.length === 0 ? 'no digest' : digests.slice(0, 3).join(', ');
    nearMisses.push({
      source: candidate.source,
      message: `attested for this image, but the SBOM itself describes ${about}`,
    });
    return false;
  });
  const times = fitting.flatMap(({ verified }) => verified.times[0]?.getTime() ?? []);
  const newest = times.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY);
  const current = fitting
    .filter(({ verified }) => (verified.times[0]?.getTime() ?? newest) === newest)
    .map(({ candidate, signer }) => toTrustedSbom(candidate, signer));
  return { ...sifted, nearMisses, current };
}

function toTrustedSbom({ sbom, source }: Candidate, signer: string): TrustedSbom {
  return sbom?.ok === true
    ? { source, signer, facts: sbom.value, why: '' }
    : { source, signer, facts: undefined, why: printable(sbom?.reason.message ?? 'it is not CycloneDX') };
}
