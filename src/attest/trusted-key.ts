import { createPublicKey, type KeyObject } from 'node:crypto';
import { encodeBase64 } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { type Digest, digestOf, hexOf } from '../oci/digest.ts';

/** Both ends belong to the interval, as in a Sigstore trusted root. */
export interface TimeWindow {
  readonly start?: Date;
  readonly end?: Date;
}

/** A public key that the user trusts. */
export interface TrustedKey {
  /** How the user named it: a file, a policy entry. */
  readonly name: string;
  readonly key: KeyObject;
  /** Digest of the SubjectPublicKeyInfo in DER. */
  readonly fingerprint: Digest;
  /** When signatures by it count; always, where absent. */
  readonly validFor?: TimeWindow;
}

/** A PEM public key of RSA 4096 has 800 bytes. */
const maxPemLength = 16_384;

const onePublicKey = /^\s*-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----\s*$/;

/**
 * Reads one public key in PEM (SubjectPublicKeyInfo): ECDSA P-256 or P-384, Ed25519, RSA with at least 2048
 * bits.
 *
 * @throws TcfError `key.malformed` or `key.unsupported` (exit 2).
 */
export function parsePublicKey(pem: string, name: string, validFor?: TimeWindow): TrustedKey {
  const body = pem.length > maxPemLength ? undefined : onePublicKey.exec(pem)?.[1];
  if (body === undefined) {
    throw malformed(name, 'it is not one PEM block "PUBLIC KEY"');
  }
  const der = Buffer.from(body, 'base64');
  const key = readKey(der, name);
  if (!isStrongKey(key)) {
    throw cannotTell('key.unsupported', `cannot use ${quoted(name)} to verify: ${describeKey(key)}`, {
      hint: 'use ECDSA P-256 or P-384, Ed25519, or RSA with at least 2048 bits',
    });
  }
  const fingerprint = fingerprintOf(key);
  return validFor === undefined ? { name, key, fingerprint } : { name, key, fingerprint, validFor };
}

function readKey(der: Buffer, name: string): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (error) {
    // node:crypto reports a key that it cannot read with errors of OpenSSL, which have no common class.
    throw malformed(name, 'it holds no readable key', error);
  }
}

function malformed(name: string, why: string, cause?: unknown): TcfError {
  return cannotTell('key.malformed', `cannot read ${quoted(name)} as a public key: ${why}`, {
    hint: 'give the PEM file that tcf keygen or cosign generate-key-pair wrote with the ending .pub',
    cause,
  });
}

/** The algorithms that tcf accepts from a key, a certificate or a log. */
export function isStrongKey(key: KeyObject): boolean {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return ['prime256v1', 'secp384r1'].includes(key.asymmetricKeyDetails?.namedCurve ?? '');
    case 'ed25519':
      return true;
    case 'rsa':
      return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
    default:
      return false;
  }
}

export function describeKey(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const detail = namedCurve ?? (modulusLength === undefined ? '' : `${modulusLength} bits`);
  return `its algorithm is ${key.asymmetricKeyType ?? 'unknown'} ${detail}`.trimEnd();
}

export function fingerprintOf(key: KeyObject): Digest {
  return digestOf(key.export({ format: 'der', type: 'spki' }));
}

/**
 * `publicKey.hint` of a bundle and `keyid` of its envelope, as cosign writes them: base64 of the
 * fingerprint's bytes.
 */
export function hintOf(fingerprint: Digest): string {
  return encodeBase64(Buffer.from(hexOf(fingerprint), 'hex'));
}

export function isWithin(window: TimeWindow | undefined, time: Date): boolean {
  const { start, end } = window ?? {};
  return (start === undefined || start <= time) && (end === undefined || time <= end);
}
