import { createHash, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { type Cosign2Layer, cosign2Types } from '../../src/attest/cosign2.ts';
import { preAuthEncoding } from '../../src/attest/dsse.ts';
import { payloadType } from '../../src/attest/statement.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { testIdentity, type VirtualSigstore } from './sigstore.ts';

/**
 * Layers as cosign 2 writes them into `.sig` and `.att` images; the interop test holds them against the real
 * tool.
 */

export interface Parts {
  readonly payload: Uint8Array;
  readonly key: KeyObject;
  /** With it: a certificate for the test identity, and an entry in its log. */
  readonly sigstore?: VirtualSigstore;
}

const hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');

/** The payload of `cosign sign -a key=value`. */
export function simpleSigning(image: Digest, optional: object | null = null): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': 'registry.test/triton/dev' },
        image: { 'docker-manifest-digest': image },
        type: 'cosign container image signature',
      },
      optional,
    }),
  );
}

export function sigLayer({ key, payload, sigstore }: Parts): Cosign2Layer {
  const signature = base64(sign('sha256', payload, key));
  const pem = sigstore === undefined ? undefined : certificatePem(sigstore, key);
  const body = (verifier: string) => ({
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: hex(payload) } },
      signature: { content: signature, publicKey: { content: base64(verifier) } },
    },
  });
  return {
    mediaType: cosign2Types.simpleSigning,
    content: payload,
    annotations: {
      'dev.cosignproject.cosign/signature': signature,
      ...(pem === undefined || sigstore === undefined ? {} : evidence(sigstore, pem, body(pem))),
    },
  };
}

/** @param kind of its log entry; `intoto` is that of cosign 1 and early versions of cosign 2. */
export function attLayer({ key, payload, sigstore }: Parts, kind: 'dsse' | 'intoto' = 'dsse'): Cosign2Layer {
  const sig = base64(sign('sha256', preAuthEncoding(payloadType, payload), key));
  const content = Buffer.from(
    JSON.stringify({ payloadType, payload: base64(payload), signatures: [{ keyid: '', sig }] }),
  );
  const pem = sigstore === undefined ? undefined : certificatePem(sigstore, key);
  const hash = { algorithm: 'sha256', value: hex(content) };
  const payloadHash = { algorithm: 'sha256', value: hex(payload) };
  const body = (verifier: string) => ({
    apiVersion: '0.0.1',
    kind,
    spec:
      kind === 'dsse'
        ? { envelopeHash: hash, payloadHash, signatures: [{ signature: sig, verifier: base64(verifier) }] }
        : { content: { hash, payloadHash }, publicKey: base64(verifier) },
  });
  return {
    mediaType: cosign2Types.envelope,
    content,
    annotations: {
      'dev.cosignproject.cosign/signature': '',
      ...(pem === undefined || sigstore === undefined ? {} : evidence(sigstore, pem, body(pem))),
    },
  };
}

function certificatePem({ fulcio }: VirtualSigstore, key: KeyObject): string {
  return new X509Certificate(fulcio.issue(key, testIdentity)).toString();
}

function evidence({ rekor }: VirtualSigstore, pem: string, body: object): Readonly<Record<string, string>> {
  const entry = rekor.append(Buffer.from(JSON.stringify(body)));
  return {
    'dev.sigstore.cosign/certificate': pem,
    'dev.sigstore.cosign/chain': pem,
    'dev.sigstore.cosign/bundle': JSON.stringify({
      SignedEntryTimestamp: entry.inclusionPromise?.signedEntryTimestamp,
      Payload: {
        body: entry.canonicalizedBody,
        integratedTime: Number(entry.integratedTime),
        logIndex: Number(entry.logIndex),
        logID: Buffer.from(entry.logId.keyId, 'base64').toString('hex'),
      },
    }),
  };
}
