import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { preAuthEncoding } from '../../src/attest/dsse.ts';
import {
  formatStatement,
  payloadType,
  type Statement,
  toSignatureStatement,
} from '../../src/attest/statement.ts';
import { hintOf, parsePublicKey, type TrustedKey } from '../../src/attest/trusted-key.ts';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';

/** Bundles signed by a plain key: no certificate, no witness, nothing of Sigstore. */

export const imageDigest: Digest = digestOf(encodeUtf8('image'));
export const otherDigest: Digest = digestOf(encodeUtf8('another image'));

export interface TestKey {
  readonly privateKey: KeyObject;
  readonly pem: string;
  readonly trusted: TrustedKey;
}

export function testKey(kind: 'P-256' | 'P-384' | 'Ed25519' | 'RSA' = 'P-256'): TestKey {
  const { privateKey, publicKey } =
    kind === 'Ed25519'
      ? generateKeyPairSync('ed25519')
      : kind === 'RSA'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: kind });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return { privateKey, pem, trusted: parsePublicKey(pem, 'team.pub') };
}

/** JSON that tests may change before it is read. */
// biome-ignore lint/suspicious/noExplicitAny: a test reaches into any place of a document to break it.
export type Loose = any;

export interface KeyBundleParts {
  readonly payload?: Uint8Array;
  readonly payloadType?: string;
  readonly statement?: Statement;
  readonly hash?: 'sha256' | 'sha384' | null;
}

export function keyBundle(key: TestKey, parts: KeyBundleParts = {}): Loose {
  const payload = parts.payload ?? formatStatement(parts.statement ?? toSignatureStatement(imageDigest));
  const type = parts.payloadType ?? payloadType;
  const curve = key.privateKey.asymmetricKeyDetails?.namedCurve;
  const usual =
    key.privateKey.asymmetricKeyType === 'ed25519' ? null : curve === 'secp384r1' ? 'sha384' : 'sha256';
  const hash = parts.hash === undefined ? usual : parts.hash;
  const hint = hintOf(key.trusted.fingerprint);
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint }, tlogEntries: [], timestampVerificationData: {} },
    dsseEnvelope: {
      payload: Buffer.from(payload).toString('base64'),
      payloadType: type,
      signatures: [
        { sig: sign(hash, preAuthEncoding(type, payload), key.privateKey).toString('base64'), keyid: hint },
      ],
    },
  };
}

export function jsonBytes(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}
