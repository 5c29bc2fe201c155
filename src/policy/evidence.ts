import type { Refusal } from '../attest/refusal.ts';
import { predicateTypes } from '../attest/statement.ts';
import type { Verified } from '../attest/verified.ts';
import { TcfError } from '../base/error.ts';
import { no, type Outcome, yes } from '../base/outcome.ts';
import { printable } from '../base/text.ts';
import { parseSbom, type SbomFacts } from '../bom/read.ts';
import type { Digest } from '../oci/digest.ts';
import type { PinnedRef } from '../oci/reference.ts';
import type { Baseline } from '../vulns/baseline.ts';
import type { VulnerabilityData } from '../vulns/data.ts';

/** The image in question, the same for every policy. */
export interface ImageFacts {
  /** What was asked for, by the digest its name had. */
  readonly image: PinnedRef;
  /**
   * The manifest for the platform in question, where `image` is an index that lists it; absent where `image`
   * is a manifest itself.
   */
  readonly platform?: Digest;
  /** The configuration that this manifest names. */
  readonly config?: Digest;
  /** What the clock says. */
  readonly now: Date;
  /**
   * The latest time that this machine wrote down before: the last entry of its log of decisions. Absent where
   * it has none.
   */
  readonly recorded?: Date;
  /**
   * The database of this machine, or why there is none that can be used; opened only where a policy asks
   * about vulnerabilities.
   */
  readonly vulnerabilities?: Outcome<VulnerabilityEvidence, Refusal>;
  /** What was there before, for a policy that asks for new vulnerabilities only. */
  readonly baseline?: BaselineEvidence;
}

/** What was there before: an SBOM to be scanned by the same data, or what a scan has found, or both. */
export interface BaselineEvidence {
  /** `registry/repository@digest`, or the file. */
  readonly name: string;
  /**
   * The policies have accepted what is said of it, as the attestations of an image; otherwise it is a file
   * that somebody named.
   */
  readonly isAttested: boolean;
  /** Of the image that it is about: an image is no baseline of itself. */
  readonly digests: readonly string[];
  readonly sbom?: SbomFacts;
  readonly known?: Baseline;
}

/** Data about vulnerabilities, and when it was taken by the word of whoever built it. */
export interface VulnerabilityEvidence {
  readonly data: VulnerabilityData;
  /** RFC 3339. */
  readonly taken?: string;
}

/**
 * All that rules may look at: plain data, gathered before. Annotations and labels are not among it, for
 * nobody signed them.
 */
export interface Evidence extends ImageFacts {
  /** Everything that was found beside the image, good or bad, in the order it was found. */
  readonly candidates: readonly Candidate[];
}

export interface Candidate {
  /** The manifest, layer or file the bundle came from. */
  readonly source: Digest;
  readonly outcome: Outcome<Verified, Refusal>;
  /** What the predicate says, where it is a CycloneDX document. */
  readonly sbom?: Outcome<SbomFacts, Refusal>;
}

/**
 * Joins a verification with what rules may ask about its content. Every predicate type is the signed one,
 * never an annotation.
 */
export function toCandidate(source: Digest, outcome: Outcome<Verified, Refusal>): Candidate {
  if (!outcome.ok || !isCyclonedx(outcome.value.statement.predicateType)) {
    return { source, outcome };
  }
  return { source, outcome, sbom: readSbom(outcome.value) };
}

function readSbom(verified: Verified): Outcome<SbomFacts, Refusal> {
  try {
    return yes(parseSbom(verified.statement.predicate, 'the attested SBOM'));
  } catch (error) {
    // A signed document that cannot be read is evidence too: rules say that they cannot tell.
    if (error instanceof TcfError) {
      return no({ code: error.code, message: printable(error.message) });
    }
    throw error;
  }
}

/** `https://cyclonedx.org/bom`, which some signers write with a version behind it. */
export function isCyclonedx(predicateType: string): boolean {
  return isVersionOf(predicateTypes.cyclonedx, predicateType);
}

/** `https://spdx.dev/Document`, which some signers write with a version behind it. */
export function isSpdx(predicateType: string): boolean {
  return isVersionOf(predicateTypes.spdx, predicateType);
}

function isVersionOf(type: string, predicateType: string): boolean {
  return predicateType.startsWith(type) && /^(?:\/v\d\.\d)?$/.test(predicateType.slice(type.length));
}

/**
 * The digests under which this very content is known: what was asked for, and its manifest for the platform.
 */
export function manifestsOf(evidence: Evidence): readonly Digest[] {
  return [evidence.image.digest, ...(evidence.platform === undefined ? [] : [evidence.platform])];
}
