import { RFC3161Timestamp } from '@sigstore/core';
import { type SignedEntity, type TrustMaterial, VerificationError, Verifier } from '@sigstore/verify';
import { reasonOf } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { Bundle } from './bundle.ts';
import type { Leaf } from './certificate.ts';
import type { HashName, SignedContent } from './content.ts';
import { isOwnKind } from './log-body.ts';
import type { LogEntry } from './log-entry.ts';
import { checkPromise } from './log-promise.ts';
import { guarded, type Refusal, refused } from './refusal.ts';

/** What must be there besides being right: distinct logs, embedded certificate timestamps, trusted times. */
export interface Thresholds {
  readonly logs: number;
  readonly scts: number;
  readonly times: number;
}

/**
 * Has @sigstore/verify check the cryptography of a bundle: the time stamps, the certificate's chain at each
 * of these times with path length and validity, its SCTs, the promise and the inclusion proof of each log
 * entry, the signature. No policy goes in: its comparison of identities is an unanchored regular expression.
 *
 * @throws a refusal; call it inside `answer`.
 */
export function verifyCore(
  bundle: Bundle,
  content: SignedContent,
  leaf: Leaf | undefined,
  material: TrustMaterial,
  thresholds: Thresholds,
): void {
  const own = bundle.entries.filter(isOwnKind);
  for (const entry of own) {
    checkPromise(entry, material);
  }
  const entity = guarded(refusalOf, () => toEntity(bundle, content, leaf));
  const verifier = new Verifier(material, {
    tlogThreshold: Math.max(0, thresholds.logs - own.length),
    ctlogThreshold: thresholds.scts,
    timestampThreshold: thresholds.times,
  });
  guarded(refusalOf, () => verifier.verify(entity));
}

function toEntity(bundle: Bundle, content: SignedContent, leaf: Leaf | undefined): SignedEntity {
  const others = bundle.entries.filter((entry) => !isOwnKind(entry)).map(toTransparencyLogEntry);
  return {
    signature: {
      signature: Buffer.from(content.signature),
      compareSignature: (signature) => signature.equals(content.signature),
      compareDigest: (digest) => isDigestBy(content.payloadDigest, digest),
      compareSignedDigest: (digest) => isDigestBy(content.signedDigest, digest),
      verifySignature: content.isSignedBy,
    },
    key:
      leaf === undefined
        ? { $case: 'public-key', hint: '' }
        : { $case: 'certificate', certificate: leaf.certificate },
    tlogEntries: others,
    timestamps: [
      ...bundle.entries
        .filter(tellsTime)
        .map((entry) => ({ $case: 'transparency-log' as const, tlogEntry: toTransparencyLogEntry(entry) })),
      ...bundle.timestamps.map((der) => ({
        $case: 'timestamp-authority' as const,
        timestamp: parseTimestamp(der),
      })),
    ],
  };
}

/** without a promise the integrated time is a number that anybody wrote. */
function tellsTime({ integratedTime, signedEntryTimestamp }: LogEntry): boolean {
  return signedEntryTimestamp !== undefined && integratedTime !== '0';
}

const hashOfSize: Readonly<Record<number, HashName>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

/** What @sigstore/verify asks of each log entry, and `checkLogBody` has seen to before. */
function isDigestBy(digestBy: (algorithm: HashName) => Uint8Array | undefined, digest: Buffer): boolean {
  const own = digestBy(hashOfSize[digest.length] ?? 'sha256');
  return own === undefined ? false : digest.equals(own);
}

type Entry = SignedEntity['tlogEntries'][number];

/** `dev.sigstore.rekor.v1.TransparencyLogEntry` as the packages of sigstore-js have it. */
export function toTransparencyLogEntry(entry: LogEntry): Entry {
  const { proof, signedEntryTimestamp } = entry;
  return {
    logIndex: entry.logIndex,
    logId: { keyId: Buffer.from(entry.logId) },
    kindVersion: { kind: entry.kind, version: entry.apiVersion },
    integratedTime: entry.integratedTime,
    inclusionPromise:
      signedEntryTimestamp === undefined
        ? undefined
        : { signedEntryTimestamp: Buffer.from(signedEntryTimestamp) },
    // A proof without a checkpoint (version 0.1) leads to a root that nobody signed; there the promise
    // decides.
    inclusionProof:
      proof?.checkpoint === undefined
        ? undefined
        : {
            logIndex: proof.logIndex,
            rootHash: Buffer.from(proof.rootHash),
            treeSize: proof.treeSize,
            hashes: proof.hashes.map((hash) => Buffer.from(hash)),
            checkpoint: { envelope: proof.checkpoint },
          },
    canonicalizedBody: Buffer.from(entry.body),
  };
}

function parseTimestamp(der: Uint8Array): RFC3161Timestamp {
  const timestamp = RFC3161Timestamp.parse(Buffer.from(der));
  // RFC 3161 section 2.4.2: 0 granted, 1 granted with changes; anything else carries no token to believe.
  if (timestamp.status !== 0n && timestamp.status !== 1n) {
    throw refused('time.invalid', 'the timestamp authority did not grant this timestamp');
  }
  return timestamp;
}

/**
 * The times that the timestamps and log entries of a bundle claim, earliest first; proven once `verifyCore`
 * has passed.
 * @throws a refusal; call it inside `answer`.
 */
export function claimedTimes(bundle: Bundle): readonly Date[] {
  const stamped = bundle.timestamps.map((der) =>
    guarded(
      () => ({ code: 'time.invalid', message: 'a timestamp cannot be read' }),
      () => parseTimestamp(der).signingTime,
    ),
  );
  const integrated = bundle.entries
    .filter(tellsTime)
    .map(({ integratedTime }) => new Date(Number(integratedTime) * 1000));
  const times = [...stamped, ...integrated];
  // A thirteenth month compares as neither before nor after anything.
  if (times.some((time) => Number.isNaN(time.getTime()))) {
    throw refused('time.invalid', 'a timestamp or log entry holds an invalid time');
  }
  return times.sort((a, b) => Number(a) - Number(b));
}

const codes: Readonly<Record<string, string>> = {
  TIMESTAMP_ERROR: 'time.invalid',
  CERTIFICATE_ERROR: 'certificate.untrusted',
  PUBLIC_KEY_ERROR: 'key.window',
  TLOG_BODY_ERROR: 'log.body',
  TLOG_ERROR: 'log.missing',
  TLOG_INCLUSION_PROOF_ERROR: 'log.proof',
  TLOG_INCLUSION_PROMISE_ERROR: 'log.promise',
  TLOG_MISSING_INCLUSION_ERROR: 'log.proof',
  SIGNATURE_ERROR: 'signature.invalid',
};

function refusalOf(thrown: unknown): Refusal {
  const message = printable(reasonOf(thrown));
  const code = thrown instanceof VerificationError ? codes[thrown.code] : undefined;
  if (code === undefined) {
    return { code: 'bundle.malformed', message: `the bundle is malformed: ${message}` };
  }
  // @sigstore/verify has one code for chain and SCT; the word tells them apart for readers, the decision is
  // the same.
  return { code: /\bSCTs?\b/.test(message) ? 'certificate.sct' : code, message };
}
