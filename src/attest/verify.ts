import type { Outcome } from '../base/outcome.ts';
import { plural } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Bundle } from './bundle.ts';
import { envelopeContent, messageContent } from './content.ts';
import { type Cosign2Signature, readSimpleSigning } from './cosign2.ts';
import { type Proven, prove } from './proof.ts';
import { answer, type Refusal, refused } from './refusal.ts';
import { parseStatement, type Statement } from './statement.ts';
import { checkSubject } from './subject.ts';
import type { Trust } from './trusted-root.ts';
import type { Verified } from './verified.ts';

/** What a bundle is asked. */
export interface AttestationQuestion {
  /** The image, or any other artifact, that the statement has to be about. */
  readonly subject: Digest;
  /**
   * The bytes of the subject where they are at hand: no other digest of the statement may contradict them.
   */
  readonly content?: Uint8Array;
}

/**
 * The proof that somebody whom `trust` believes made a statement about `asked.subject`. The only place where
 * `Verified` is minted. Who it was is in the answer; whether that one was allowed to is for the policy.
 *
 * The steps: the signature over the DSSE pre-authentication encoding; for a certificate its form, chain, SCT
 * and validity at each trusted time; for a key its fingerprint and window; the log entries against this very
 * bundle, their checkpoints and promises; RFC 3161 times; the thresholds; the statement and its subject.
 * Every step refuses with a stable code.
 */
export function verifyAttestation(
  bundle: Bundle,
  trust: Trust,
  asked: AttestationQuestion,
  now: Date,
): Outcome<Verified, Refusal> {
  return answer('bundle.malformed', () => proveStatement(bundle, undefined, trust, asked, now));
}

function proveStatement(
  bundle: Bundle,
  text: Uint8Array | undefined,
  trust: Trust,
  asked: AttestationQuestion,
  now: Date,
): Verified {
  if (bundle.content.kind !== 'dsse') {
    throw refused('bundle.content', 'the bundle signs bytes, not a statement about an image');
  }
  const { envelope } = bundle.content;
  const proven = prove(bundle, envelopeContent(envelope, text), trust, now);
  const parsed = parseStatement(envelope.payload);
  if (!parsed.ok) {
    throw refused(parsed.reason.code, parsed.reason.message);
  }
  return about(asked, proven, parsed.value);
}

/**
 * As `verifyAttestation`, for a signature in the format of cosign 2: over an envelope, or over the
 * simple-signing payload itself.
 */
export function verifyCosign2(
  { bundle, text }: Cosign2Signature,
  trust: Trust,
  asked: AttestationQuestion,
  now: Date,
): Outcome<Verified, Refusal> {
  return answer('cosign2.malformed', () => {
    if (bundle.content.kind === 'dsse') {
      return proveStatement(bundle, text, trust, asked, now);
    }
    const proven = prove(bundle, messageContent(bundle.content, text), trust, now);
    return about(asked, proven, readSimpleSigning(text));
  });
}

/** a genuine statement about another image, or one that contradicts itself about this one. */
function about(asked: AttestationQuestion, proven: Proven, statement: Statement): Verified {
  const subjectIndex = statement.subjects.findIndex(({ digests }) => digests.includes(asked.subject));
  if (subjectIndex < 0) {
    const count = plural(statement.subjects.length, 'other subject');
    throw refused('statement.subject', `the statement is about ${count}, not about ${asked.subject}`);
  }
  for (const subject of statement.subjects) {
    if (asked.content !== undefined && subject.digests.includes(asked.subject)) {
      checkSubject(subject, asked.content);
    }
  }
  return { ...proven, statement, subjectIndex } as Verified;
}
