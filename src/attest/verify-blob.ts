import type { KeyObject } from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import type { Outcome } from '../base/outcome.ts';
import { algorithmOf, type Digest, digestOf, hexOf } from '../oci/digest.ts';
import type { Bundle, MessageContent } from './bundle.ts';
import { type HashName, hashFor, messageAbout, messageContent, type SignedContent } from './content.ts';
import { type Proven, prove } from './proof.ts';
import { answer, type Refusal, refused } from './refusal.ts';
import type { Trust } from './trusted-root.ts';

/** A file, or only its digest. */
export type Artifact = Uint8Array | Digest;

/** The digests under which a statement may know this artifact. */
export function digestsOf(artifact: Artifact): readonly [Digest, ...Digest[]] {
  return typeof artifact === 'string' ? [artifact] : [digestOf(artifact), digestOf(artifact, 'sha512')];
}

/**
 * As `verifyAttestation`, for a `messageSignature` bundle over a file or its digest. It mints nothing: no
 * image is signed so.
 */
export function verifyBlob(
  bundle: Bundle,
  trust: Trust,
  artifact: Artifact,
  now: Date,
): Outcome<Proven, Refusal> {
  return answer('bundle.malformed', () => {
    if (bundle.content.kind !== 'message') {
      throw refused('bundle.content', 'the bundle signs a statement, not the bytes of an artifact');
    }
    return prove(bundle, artifactContent(bundle.content, artifact), trust, now);
  });
}

/** The content of a `messageSignature` bundle for this artifact. @throws a refusal as `messageAbout` does. */
export function artifactContent(message: MessageContent, artifact: Artifact): SignedContent {
  if (typeof artifact !== 'string') {
    return messageContent(message, artifact);
  }
  const digestFor = (algorithm: HashName) =>
    algorithm === algorithmOf(artifact) ? Buffer.from(hexOf(artifact), 'hex') : undefined;
  return messageAbout(message, artifact, {
    digestFor,
    isSignedBy: (key) => isPrehashSignature(message.signature, digestFor(hashFor(key) ?? 'sha512'), key),
  });
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
