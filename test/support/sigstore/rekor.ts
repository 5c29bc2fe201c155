import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  publicDecrypt,
  verify,
  X509Certificate,
} from 'node:crypto';
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
  if (key.asymmetricKeyType === 'ed25519') {
    return null;
  }
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
}

/** The canonical body of a v1 `dsse` or `hashedrekord` entry, once its signature is verified. */
export function toBody1(request: Loose): Body {
  if (request.kind === 'hashedrekord') {
    return toHashedRekord(request);
  }
  return request.kind === 'dsse' ? toDsse(request) : undefined;
}

/** As rekor canonicalizes it: members in the order of their names, the key as it came. */
function toHashedRekord(request: Loose): Body {
  const { data, signature } = request.spec;
  const { algorithm, value } = data.hash;
  const key = keyOfPem(Buffer.from(signature.publicKey.content, 'base64').toString());
  if (!isOverDigest(key, algorithm, Buffer.from(value, 'hex'), Buffer.from(signature.content, 'base64'))) {
    return undefined;
  }
  return toJson({
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm, value } },
      signature: { content: signature.content, publicKey: { content: signature.publicKey.content } },
    },
  });
}

const prefixes: Readonly<Record<string, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

/** Ed25519 has to see the message, and this log has only its digest. */
function isOverDigest(key: KeyObject, algorithm: string, digest: Buffer, signature: Buffer): boolean {
  const prefix = prefixes[algorithm];
  if (prefix === undefined || digest.length !== Number.parseInt(prefix.slice(-2), 16)) {
    return false;
  }
  if (key.asymmetricKeyType === 'rsa') {
    const info = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return info.equals(Buffer.concat([Buffer.from(prefix, 'hex'), digest]));
  }
  return key.asymmetricKeyType === 'ec' && isEcdsa(key, digest, signature);
}

function isEcdsa(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const curve = key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? p384 : p256;
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return curve.verify(signature, digest, point, { prehash: false, format: 'der', lowS: false });
}

function toDsse(request: Loose): Body {
  const { envelope: text, verifiers } = request.spec.proposedContent;
  const envelope = JSON.parse(text);
  const payload = Buffer.from(envelope.payload, 'base64');
  const [{ sig }] = envelope.signatures;
  const key = keyOfPem(Buffer.from(verifiers[0], 'base64').toString());
  const preAuth = preAuthEncoding(envelope.payloadType, payload);
  if (!verify(hashFor(key), preAuth, key, Buffer.from(sig, 'base64'))) {
    return undefined;
  }
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

const details: Readonly<Record<string, string>> = {
  PKIX_ECDSA_P256_SHA_256: 'SHA2_256',
  PKIX_ECDSA_P384_SHA_384: 'SHA2_384',
};

/** The canonical body of a v2 entry: one kind, `hashedrekord`, its signature verified over the digest. */
export function toBody2(request: Loose): Body {
  const { digest, signature } = request.hashedRekordRequestV002 ?? {};
  const algorithm = details[signature?.verifier?.keyDetails];
  if (algorithm === undefined) {
    return undefined;
  }
  const { verifier, content } = signature;
  const raw = (shape: Loose) => Buffer.from(shape.rawBytes, 'base64');
  const key =
    verifier.x509Certificate === undefined
      ? createPublicKey({ key: raw(verifier.publicKey), format: 'der', type: 'spki' })
      : new X509Certificate(raw(verifier.x509Certificate)).publicKey;
  if (!isEcdsa(key, Buffer.from(digest, 'base64'), Buffer.from(content, 'base64'))) {
    return undefined;
  }
  const { keyDetails, ...material } = verifier;
  return toJson({
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm, digest },
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
