import { createPublicKey, X509Certificate } from 'node:crypto';
import type { SignatureBundle } from '@sigstore/sign';
import { envelopeContent, type HashName, messageAbout, type SignedContent } from '../attest/content.ts';
import type { Envelope } from '../attest/dsse.ts';
import { algorithmFor, type SigningAlgorithm } from './signer.ts';

/**
 * A transparency log or a timestamp authority: one that has seen a signature.
 * @throws TcfError `sigstore.*`, `log.*` (exit 2).
 */
export type { Witness } from '@sigstore/sign';

/**
 * What a witness is told: a signed envelope, or a signature over an artifact of which it sees the digest
 * only.
 */
export interface Testified {
  readonly about: SignedContent;
  readonly envelope: Envelope | undefined;
  /** Of the artifact, with the algorithm of the key. */
  readonly digest: { readonly algorithm: HashName; readonly bytes: Uint8Array } | undefined;
  readonly signature: Uint8Array;
  readonly signer: {
    readonly kind: 'certificate' | 'key';
    readonly der: Uint8Array;
    readonly pem: string;
    readonly algorithm: SigningAlgorithm;
  };
}

const hashes: Readonly<Record<number, HashName>> = { 1: 'sha256', 2: 'sha384', 3: 'sha512' };

/** Reads what a bundle builder hands to `Witness.testify`. */
export function readTestified(content: SignatureBundle, pem: string): Testified {
  const signer = readSigner(pem);
  if (content.$case === 'dsseEnvelope') {
    const { payload, signatures } = content.dsseEnvelope;
    const [{ sig: signature } = { sig: Buffer.of() }] = signatures;
    // cosign 3.0.6 refuses a keyid that is the hint of the bundle, which the builder writes; the entry of the
    // log has none either.
    const envelope = { payload, signature, keyid: '' };
    return { about: envelopeContent(envelope), envelope, digest: undefined, signature, signer };
  }
  const { messageDigest, signature } = content.messageSignature;
  const algorithm = hashes[messageDigest.algorithm] ?? 'sha256';
  const bytes = messageDigest.digest;
  const about = messageAbout({ kind: 'message', algorithm, digest: bytes, signature }, 'the artifact', {
    digestFor: (wanted) => (wanted === algorithm ? bytes : undefined),
    isSignedBy: () => false,
  });
  return { about, envelope: undefined, digest: { algorithm, bytes }, signature, signer };
}

function readSigner(pem: string): Testified['signer'] {
  if (!pem.startsWith('-----BEGIN CERTIFICATE')) {
    const key = createPublicKey(pem);
    const der = key.export({ format: 'der', type: 'spki' });
    return { kind: 'key', der, pem, algorithm: algorithmFor(key) };
  }
  const certificate = new X509Certificate(pem);
  return { kind: 'certificate', der: certificate.raw, pem, algorithm: algorithmFor(certificate.publicKey) };
}
