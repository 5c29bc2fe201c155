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

/** Hash and options of `node:crypto` by scheme; `rsassa-pss-sha256` leaves the salt's length to the signer. */
const schemes: Readonly<Record<string, { readonly types: readonly string[]; readonly hash: string | null }>> =
  {
    ed25519: { types: ['ed25519'], hash: null },
    'ecdsa-sha2-nistp256': { types: ['ecdsa', 'ecdsa-sha2-nistp256'], hash: 'sha256' },
    'ecdsa-sha2-nistp384': { types: ['ecdsa', 'ecdsa-sha2-nistp384'], hash: 'sha384' },
    'rsassa-pss-sha256': { types: ['rsa'], hash: 'sha256' },
  };

/** What a key of the scheme must be, so that a P-256 key never speaks for a role as something else. */
const natures: Readonly<Record<string, string>> = {
  ed25519: 'ed25519',
  'ecdsa-sha2-nistp256': 'prime256v1',
  'ecdsa-sha2-nistp384': 'secp384r1',
  'rsassa-pss-sha256': 'rsa',
};

/** `undefined` for a key of another kind, or one that cannot be read: it signs nothing, and the threshold says whether it is missed. */
export function toTufKey(form: KeyForm): TufKey | undefined {
  const scheme = Object.hasOwn(schemes, form.scheme) ? schemes[form.scheme] : undefined;
  if (scheme === undefined || !scheme.types.includes(form.keytype)) return undefined;
  const key = readKey(form);
  if (key === undefined || !isStrongKey(key) || natureOf(key) !== natures[form.scheme]) return undefined;
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
/** SubjectPublicKeyInfo of Ed25519 (RFC 8410 section 4) before the 32 bytes of the key, which TUF writes alone in hexadecimal. */
const ed25519Prefix = '302a300506032b6570032100';

function readKey(form: KeyForm): KeyObject | undefined {
  const raw = form.keytype === 'ed25519' && /^[0-9a-f]{64}$/.test(form.public);
  if (!raw && !pem.test(form.public)) return undefined;
  try {
    return raw
      ? createPublicKey({ key: Buffer.from(ed25519Prefix + form.public, 'hex'), format: 'der', type: 'spki' })
      : createPublicKey(form.public);
  } catch (error) {
    // OpenSSL's errors have no common class, but all of them have a code.
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
