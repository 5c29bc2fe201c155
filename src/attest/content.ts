import { createHash, type KeyObject, verify } from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import { toHex } from '../base/bytes.ts';
import { algorithmOf, type Digest, digestOf, hexOf } from '../oci/digest.ts';
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

/** A file, or only its digest. */
export type Artifact = Uint8Array | Digest;

/**
 * The content of a `messageSignature` bundle for this artifact. Refused with `message.digest` where the bundle speaks of another
 * artifact or in an algorithm that a bare digest cannot answer.
 */
export function messageContent(message: MessageContent, artifact: Artifact): SignedContent {
  const digestFor = (algorithm: HashName): Uint8Array | undefined => {
    if (typeof artifact !== 'string') return hash(algorithm, artifact);
    return algorithm === algorithmOf(artifact) ? Buffer.from(hexOf(artifact), 'hex') : undefined;
  };
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
    isSignedBy: (key) =>
      typeof artifact === 'string'
        ? isPrehashSignature(message.signature, digestFor(hashFor(key) ?? 'sha512'), key)
        : isSignature(message.signature, artifact, key),
    signedDigest: digestFor,
    payloadDigest: digestFor,
  };
}

/** The hash that goes with a key, as cosign and sigstore-go choose it; Ed25519 hashes by itself. */
function hashFor(key: KeyObject): HashName | undefined {
  if (key.asymmetricKeyType === 'ed25519') return undefined;
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
}

function isSignature(signature: Uint8Array, signed: Uint8Array, key: KeyObject): boolean {
  return verify(hashFor(key) ?? null, signed, key, signature);
}

/** Node's `verify` hashes what it gets once more, so ECDSA over a digest is computed by @noble/curves. */
function isPrehashSignature(signature: Uint8Array, digest: Uint8Array | undefined, key: KeyObject): boolean {
  const curve = { prime256v1: p256, secp384r1: p384 }[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (curve === undefined || digest === undefined) {
    throw refused(
      'message.prehash',
      'this signature cannot be checked against a digest alone: the algorithm of its key needs the artifact itself',
    );
  }
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return curve.verify(signature, digest, point, { prehash: false, format: 'der', lowS: false });
}

function hash(algorithm: HashName, bytes: Uint8Array): Uint8Array {
  return createHash(algorithm).update(bytes).digest();
}

/** The digests under which a statement may know this artifact. */
export function digestsOf(artifact: Artifact): readonly [Digest, ...Digest[]] {
  return typeof artifact === 'string' ? [artifact] : [digestOf(artifact), digestOf(artifact, 'sha512')];
}
