import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { isStrongKey } from '../trusted-key.ts';

/** A public key of a role. */
export interface TufKey {
  /** Digest of the SubjectPublicKeyInfo in DER: what makes two keys one, whatever their ids say. */
  readonly fingerprint: Digest;
  readonly isSignedBy: (message: Uint8Array, signature: Uint8Array) => boolean;
}

/** The members of a KEY object that say what it is (TUF 1.0.34 section 4.2.1). */
export interface KeyForm {
  readonly keytype: string;
  readonly scheme: string;
  readonly public: string;
}

interface Scheme {
  readonly types: readonly string[];
  /** In the words of `node:crypto`. */
  readonly hash: string | null;
  /** What the key itself must be, so that no key speaks for a role in another way than the root says. */
  readonly nature: string;
}

const schemes: ReadonlyMap<string, Scheme> = new Map([
  ['ed25519', { types: ['ed25519'], hash: null, nature: 'ed25519' }],
  ['ecdsa-sha2-nistp256', { types: ['ecdsa', 'ecdsa-sha2-nistp256'], hash: 'sha256', nature: 'prime256v1' }],
  ['ecdsa-sha2-nistp384', { types: ['ecdsa', 'ecdsa-sha2-nistp384'], hash: 'sha384', nature: 'secp384r1' }],
  ['rsassa-pss-sha256', { types: ['rsa'], hash: 'sha256', nature: 'rsa' }],
]);

/**
 * `undefined` for a key of another kind, or one that cannot be read: it signs nothing, and the threshold says
 * whether it is missed.
 */
export function toTufKey(form: KeyForm): TufKey | undefined {
  const scheme = schemes.get(form.scheme);
  if (!scheme?.types.includes(form.keytype)) {
    return undefined;
  }
  const key = readKey(form);
  if (key === undefined || !isStrongKey(key) || natureOf(key) !== scheme.nature) {
    return undefined;
  }
  const padding = form.keytype === 'rsa' ? { padding: constants.RSA_PKCS1_PSS_PADDING } : {};
  return {
    fingerprint: digestOf(key.export({ format: 'der', type: 'spki' })),
    isSignedBy: (message, signature) => verify(scheme.hash, message, { key, ...padding }, signature),
  };
}

function natureOf(key: KeyObject): string | undefined {
  return key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType;
}

const pem = /^-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/;
/**
 * SubjectPublicKeyInfo of Ed25519 (RFC 8410 section 4) before the 32 bytes of the key, which TUF writes alone
 * in hexadecimal.
 */
const ed25519Prefix = '302a300506032b6570032100';

function readKey(form: KeyForm): KeyObject | undefined {
  const raw = /^[0-9a-f]{64}$/.test(form.public);
  if (!raw && !pem.test(form.public)) {
    return undefined;
  }
  try {
    return raw
      ? createPublicKey({ key: Buffer.from(ed25519Prefix + form.public, 'hex'), format: 'der', type: 'spki' })
      : createPublicKey(form.public);
  } catch {
    // node:crypto reports a key that it cannot read with errors of OpenSSL, which have no common class.
    return undefined;
  }
}
