import { type KeyObject, verify } from 'node:crypto';
import { encodeBase64, encodeUtf8, toHex } from '../base/bytes.ts';
import type { LogEntry } from './log-entry.ts';
import { guarded, refused } from './refusal.ts';
import type { TrustedRoot } from './trusted-root.ts';

/** Algorithms that hash by themselves. */
const isPure = ({ asymmetricKeyType: type }: KeyObject) => type === 'ed25519' || type === 'ml-dsa-65';

/**
 * Checks the promise of Rekor v1 (SignedEntryTimestamp) that an entry is, or will be, in its log: a signature
 * of the log over the body, the index and the time. For entries whose kind @sigstore/verify does not know; it
 * checks those of the others. That the log's key counted at that time is asked with the entry
 * (`checkEntries`).
 *
 * Refused with `log.promise`. @throws a refusal; call it inside `answer`.
 */
export function checkPromise(entry: LogEntry, { tlogs }: TrustedRoot['material']): void {
  // A promise that is not there is a signature without bytes, and no key made that.
  const { body, integratedTime, logId, logIndex, signedEntryTimestamp = new Uint8Array() } = entry;
  // JSON Canonicalization Scheme (RFC 8785): members by name, no blanks. Both numbers are decimal digits.
  const promised = encodeUtf8(
    `{"body":"${encodeBase64(body)}","integratedTime":${integratedTime},"logID":"${toHex(logId)}","logIndex":${logIndex}}`,
  );
  const isKept = guarded(
    () => ({ code: 'log.promise', message: 'the promise of the log cannot be read' }),
    () =>
      tlogs
        .filter(({ logID }) => toHex(logID) === toHex(logId))
        .some(({ publicKey }) =>
          verify(isPure(publicKey) ? null : 'sha256', promised, publicKey, signedEntryTimestamp),
        ),
  );
  if (!isKept) {
    throw refused('log.promise', 'the log did not promise to keep this entry');
  }
}
