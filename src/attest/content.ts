import { createHash, type KeyObject, verify } from 'node:crypto';
import { toHex } from '../base/bytes.ts';
import type { MessageContent } from './bundle.ts';
import { type Envelope, preAuthEncoding } from './dsse.ts';
import { refused } from './refusal.ts';
import { payloadType } from './statement.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';

/** What a signature was made over, so that the key and the log entry can be compared with it. */
export interface SignedContent {
  readonly kind: 'dsse' | 'message';
  readonly signature: Uint8Array;
  readonly isSignedBy: (key: KeyObject) => boolean;
  /** Digest of the bytes that were signed; `undefined` where only a digest of another algorithm is known. */
  readonly signedDigest: (algorithm: HashName) => Uint8Array | undefined;
  /** Digest of the payload inside the envelope. */
  readonly payloadDigest: (algorithm: HashName) => Uint8Array | undefined;
  /** Digest of the envelope's own text, which a bundle does not keep. */
  readonly envelopeDigest?: (algorithm: HashName) => Uint8Array;
}

/** @param text the JSON from which the envelope was read, as it was logged. */
export function envelopeContent(envelope: Envelope, text?: Uint8Array): SignedContent {
  const signed = preAuthEncoding(payloadType, envelope.payload);
  return {
    kind: 'dsse',
    signature: envelope.signature,
    isSignedBy: (key) => isSignature(envelope.signature, signed, key),
    signedDigest: (algorithm) => hash(algorithm, signed),
    payloadDigest: (algorithm) => hash(algorithm, envelope.payload),
    ...(text === undefined ? {} : { envelopeDigest: (algorithm: HashName) => hash(algorithm, text) }),
  };
}

/** The content of a `messageSignature` bundle for this artifact. @throws a refusal as `messageAbout` does. */
export function messageContent(message: MessageContent, artifact: Uint8Array): SignedContent {
  return messageAbout(message, 'the file', {
    digestFor: (algorithm) => hash(algorithm, artifact),
    isSignedBy: (key) => isSignature(message.signature, artifact, key),
  });
}

/**
 * The content of a `messageSignature` bundle for an artifact of which only so much is known. Refused with
 * `message.digest` where the bundle speaks of another artifact or in an algorithm whose digest is not known.
 */
export function messageAbout(
  message: MessageContent,
  artifact: string,
  known: {
    readonly digestFor: (algorithm: HashName) => Uint8Array | undefined;
    readonly isSignedBy: (key: KeyObject) => boolean;
  },
): SignedContent {
  const { digestFor, isSignedBy } = known;
  const own = digestFor(message.algorithm);
  if (own === undefined) {
    throw refused(
      'message.digest',
      `the bundle names a ${message.algorithm} digest, which cannot be compared with ${artifact}`,
    );
  }
  if (toHex(own) !== toHex(message.digest)) {
    throw refused('message.digest', 'the bundle was made for another artifact: the digests differ');
  }
  return {
    kind: 'message',
    signature: message.signature,
    isSignedBy,
    signedDigest: digestFor,
    payloadDigest: digestFor,
  };
}

/** The hash that goes with a key, as cosign and sigstore-go choose it; Ed25519 hashes by itself. */
export function hashFor(key: KeyObject): HashName | undefined {
  if (key.asymmetricKeyType === 'ed25519') {
    return undefined;
  }
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
}

function isSignature(signature: Uint8Array, signed: Uint8Array, key: KeyObject): boolean {
  return verify(hashFor(key) ?? null, signed, key, signature);
}

function hash(algorithm: HashName, bytes: Uint8Array): Uint8Array {
  return createHash(algorithm).update(bytes).digest();
}
