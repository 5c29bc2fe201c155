import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { p256, p384 } from '@noble/curves/nist.js';
import { preAuthEncoding } from '../../../src/attest/dsse.ts';
import type { EntryJson, Log } from './log.ts';

/** What a request for an entry leads to; `undefined`: the log does not take it. */
export type Body = Buffer | undefined;

// Requests of our own client: where they are not what they should be, the test is to fail, not to be typed.
// biome-ignore lint/suspicious/noExplicitAny: JSON of a request
type Loose = any;

const hex = (bytes: Uint8Array, algorithm = 'sha256') => createHash(algorithm).update(bytes).digest('hex');

function keyOfPem(pem: string): KeyObject {
  return pem.includes('CERTIFICATE') ? new X509Certificate(pem).publicKey : createPublicKey(pem);
}

function hashFor(key: KeyObject): string | null {
  if (key.asymmetricKeyType === 'ed25519') return null;
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
}

/** The canonical body of a v1 `dsse` or `hashedrekord` entry, once its signature is verified. */
export function toBody1(request: Loose): Body {
  return request.kind === 'dsse' ? toDsse(request) : undefined;
}

function toDsse(request: Loose): Body {
  const { envelope: text, verifiers } = request.spec.proposedContent;
  const envelope = JSON.parse(text);
  const payload = Buffer.from(envelope.payload, 'base64');
  const [{ sig }] = envelope.signatures;
  const key = keyOfPem(Buffer.from(verifiers[0], 'base64').toString());
  const preAuth = preAuthEncoding(envelope.payloadType, payload);
  if (!verify(hashFor(key), preAuth, key, Buffer.from(sig, 'base64'))) return undefined;
  const digest = (value: string) => ({ algorithm: 'sha256', value });
  return toJson({
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: digest(hex(Buffer.from(text))),
      payloadHash: digest(hex(payload)),
      signatures: [{ signature: sig, verifier: verifiers[0] }],
    },
  });
}

const details: Readonly<Record<string, { readonly name: string; readonly curve: typeof p256 }>> = {
  PKIX_ECDSA_P256_SHA_256: { name: 'SHA2_256', curve: p256 },
  PKIX_ECDSA_P384_SHA_384: { name: 'SHA2_384', curve: p384 },
};

/** The canonical body of a v2 entry: one kind, `hashedrekord`, its signature verified over the digest. */
export function toBody2(request: Loose): Body {
  const { digest, signature } = request.hashedRekordRequestV002 ?? {};
  const algorithm = details[signature?.verifier?.keyDetails];
  if (algorithm === undefined) return undefined;
  const { verifier, content } = signature;
  const raw = (shape: Loose) => Buffer.from(shape.rawBytes, 'base64');
  const key =
    verifier.x509Certificate === undefined
      ? createPublicKey({ key: raw(verifier.publicKey), format: 'der', type: 'spki' })
      : new X509Certificate(raw(verifier.x509Certificate)).publicKey;
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const options = { prehash: false, format: 'der', lowS: false } as const;
  if (!algorithm.curve.verify(Buffer.from(content, 'base64'), Buffer.from(digest, 'base64'), point, options))
    return undefined;
  const { keyDetails, ...material } = verifier;
  return toJson({
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: algorithm.name, digest },
        signature: { content, verifier: { keyDetails, ...material } },
      },
    },
  });
}

const toJson = (value: unknown) => Buffer.from(JSON.stringify(value));

/** An entry as the v1 API answers it, under its UUID. */
export function toAnswer1(entry: EntryJson, log: Log): { readonly uuid: string; readonly json: object } {
  const { inclusionProof: proof, inclusionPromise: promise } = entry;
  const toHex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
  const uuid = hex(Buffer.concat([Buffer.of(0), Buffer.from(entry.canonicalizedBody, 'base64')]));
  return {
    uuid,
    json: {
      [uuid]: {
        body: entry.canonicalizedBody,
        integratedTime: Number(entry.integratedTime),
        logID: log.id.toString('hex'),
        logIndex: Number(entry.logIndex),
        verification: {
          inclusionProof: {
            checkpoint: proof.checkpoint.envelope,
            hashes: proof.hashes.map(toHex),
            logIndex: Number(proof.logIndex),
            rootHash: toHex(proof.rootHash),
            treeSize: Number(proof.treeSize),
          },
          signedEntryTimestamp: promise?.signedEntryTimestamp,
        },
      },
    },
  };
}
