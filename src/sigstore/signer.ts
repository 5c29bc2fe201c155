import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Signature, Signer } from '@sigstore/sign';
import type { HashName } from '../attest/content.ts';
import { fingerprintOf, hintOf } from '../attest/trusted-key.ts';

/**
 * Makes signatures: ECDSA in DER, Ed25519 raw, RSA PKCS 1 v1.5. A signer by key makes any number of them, a
 * keyless one asks for a certificate each time.
 */
export type { Signer } from '@sigstore/sign';

/** What goes into the bundle beside the signature, in PEM. */
export type SigningMaterial = Signature['key'];

export interface SigningAlgorithm {
  /** `undefined`: Ed25519, which hashes by itself. */
  readonly hash: HashName | undefined;
  /** `dev.sigstore.common.v1.PublicKeyDetails`. */
  readonly keyDetails: string;
}

/** The algorithm that goes with a key, as cosign chooses it (sigstore `LoadDefaultSigner`). */
export function algorithmFor(key: KeyObject): SigningAlgorithm {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ed25519') {
    return { hash: undefined, keyDetails: 'PKIX_ED25519' };
  }
  if (key.asymmetricKeyType === 'rsa') {
    return { hash: 'sha256', keyDetails: `PKIX_RSA_PKCS1V15_${modulusLength}_SHA256` };
  }
  return namedCurve === 'secp384r1'
    ? { hash: 'sha384', keyDetails: 'PKIX_ECDSA_P384_SHA_384' }
    : { hash: 'sha256', keyDetails: 'PKIX_ECDSA_P256_SHA_256' };
}

/** What names a public key in a bundle. */
export function materialOf(publicKey: KeyObject): SigningMaterial {
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return { $case: 'publicKey', publicKey: pem, hint: hintOf(fingerprintOf(publicKey)) };
}

/** Signs with a private key that `openPrivateKey` accepted. */
export function keySigner(key: KeyObject): Signer {
  const publicKey = createPublicKey(key);
  const material = materialOf(publicKey);
  const { hash } = algorithmFor(publicKey);
  return { sign: async (bytes) => ({ signature: sign(hash ?? null, bytes, key), key: material }) };
}
