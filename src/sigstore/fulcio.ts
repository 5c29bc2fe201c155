import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readLeaf } from '../attest/certificate.ts';
import { answer } from '../attest/refusal.ts';
import { fingerprintOf } from '../attest/trusted-key.ts';
import { encodeBase64, encodeUtf8 } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import type { Shape } from '../base/shape.ts';
import { checkFresh, explainRefusal, type IdentityToken } from './identity-token.ts';
import { formatPem } from './pem.ts';
import { garbled, jsonOf, refusal, type ServiceQuestion, type Services, under } from './services.ts';
import type { Signer } from './signer.ts';

export interface KeylessOptions {
  readonly fulcio: URL;
  readonly token: IdentityToken;
  readonly services: Services;
  readonly now: () => Date;
}

/**
 * Signs with a key that lives for one signature, under a certificate in which Fulcio names the holder of the
 * token. The private key never leaves memory and is forgotten with the call.
 *
 * @throws TcfError `token.expired`, `token.audience`, `sigstore.refused`, `sigstore.unreachable`,
 *   `sigstore.protocol` (exit 2).
 */
export function keylessSigner(options: KeylessOptions): Signer {
  return {
    sign: async (bytes) => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const certificate = await requestCertificate(options, privateKey, publicKey);
      return {
        signature: sign('sha256', bytes, privateKey),
        key: { $case: 'x509Certificate', certificate: formatPem('CERTIFICATE', certificate) },
      };
    },
  };
}

/** Fulcio API v2, `CreateSigningCertificate`. */
async function requestCertificate(
  { fulcio, token, services, now }: KeylessOptions,
  privateKey: KeyObject,
  publicKey: KeyObject,
): Promise<Uint8Array> {
  checkFresh(token, now());
  const body = encodeUtf8(
    JSON.stringify({
      credentials: { oidcIdentityToken: token.raw },
      publicKeyRequest: {
        publicKey: { algorithm: 'ECDSA', content: publicKey.export({ format: 'pem', type: 'spki' }) },
        proofOfPossession: encodeBase64(sign('sha256', encodeUtf8(token.subject), privateKey)),
      },
    }),
  );
  const question: ServiceQuestion = {
    method: 'POST',
    url: under(fulcio, 'api/v2/signingCert'),
    headers: { 'content-type': 'application/json' },
    body,
    secrets: [token.raw],
    what: 'a signing certificate',
  };
  const reply = await services(question);
  if (reply.status !== 200 && reply.status !== 201) {
    const { code, hint } = explainRefusal(token);
    const error = refusal(question, reply, hint);
    throw error.code === 'sigstore.refused' ? cannotTell(code, error.message, { hint }) : error;
  }
  const certificate = jsonOf(question, reply, readCertificate);
  const leaf = answer('certificate.malformed', () => readLeaf(certificate));
  if (!leaf.ok) {
    throw garbled(question, leaf.reason.message);
  }
  // A signature under somebody else's certificate would verify for nobody, and would be noticed only there.
  if (fingerprintOf(leaf.value.key) !== fingerprintOf(publicKey)) {
    throw garbled(question, 'the certificate is for another key');
  }
  return certificate;
}

const firstPem = /^\s*-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----\s*$/;

/**
 * The leaf of the chain. One with a detached SCT could not be verified from a bundle, which has no place for
 * it.
 */
function readCertificate(shape: Shape): Uint8Array {
  const [leaf] = shape.get('signedCertificateEmbeddedSct').get('chain').get('certificates').list(10);
  if (leaf === undefined) {
    throw shape.wrong('has no certificate');
  }
  const [, base64 = ''] = firstPem.exec(leaf.string()) ?? [];
  if (base64 === '') {
    throw leaf.wrong('is not a certificate in PEM');
  }
  return Buffer.from(base64, 'base64');
}
