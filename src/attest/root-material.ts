import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { ASN1Obj } from '@sigstore/core';
import type { TrustMaterial } from '@sigstore/verify';
import { reasonOf } from '../base/error.ts';
import type { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import { CachedCertificate } from './cached-certificate.ts';
import { extendedUsagesOf } from './certificate.ts';
import { bytesAt, optionalMember } from './dsse.ts';
import { describeKey, isStrongKey } from './trusted-key.ts';

export type Log = TrustMaterial['tlogs'][number];
export type Authority = TrustMaterial['certificateAuthorities'][number];

/** Algorithms that count only where a policy asks for them: `trust: { experimental: [ml-dsa-65] }`. */
export const experimentalAlgorithms = ['ml-dsa-65'] as const;
export type ExperimentalAlgorithm = (typeof experimentalAlgorithms)[number];

/** Why an entry of a trusted root does not count. */
export interface Unusable {
  /** About the entry, without a full stop: `its key cannot be read: ...`. */
  readonly reason: string;
  /** An algorithm that is off or unknown to this version; else the entry is damaged or contradicts itself. */
  readonly isUnsupported: boolean;
}

/** Leaves `readLog` and `readAuthority` only; `usable` catches it. */
class UnusableEntry extends Error {
  readonly unusable: Unusable;

  constructor(reason: string, isUnsupported = false) {
    super(reason);
    this.unusable = { reason, isUnsupported };
  }
}

/** The value that `read` makes of an entry, or why the entry cannot be used. */
export function usable<T>(read: () => T): T | Unusable {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnusableEntry) {
      return error.unusable;
    }
    throw error;
  }
}

export function isUnusable<T extends object>(value: T | Unusable): value is Unusable {
  return 'isUnsupported' in value;
}

/** 8640000000000000 ms: the last time that a Date holds. */
const endOfTime = new Date(8_640_000_000_000_000);

interface KeyForm {
  readonly encoding: 'pkcs1' | 'spki';
  readonly fits: (key: KeyObject) => boolean;
}

const onCurve = (curve: string): KeyForm => ({
  encoding: 'spki',
  fits: (key) => key.asymmetricKeyDetails?.namedCurve === curve,
});
const ofType = (type: string): KeyForm => ({
  encoding: 'spki',
  fits: (key) => key.asymmetricKeyType === type,
});
const rsa = (bits?: number, encoding: KeyForm['encoding'] = 'spki'): KeyForm => ({
  encoding,
  fits: ({ asymmetricKeyDetails: details, asymmetricKeyType: type }) =>
    type === 'rsa' && (bits === undefined || details?.modulusLength === bits),
});

/**
 * `PublicKeyDetails` of protobuf-specs `sigstore_common.proto` that @sigstore/verify and Node.js verify with.
 */
const keyForms: ReadonlyMap<string, KeyForm> = new Map([
  ['PKCS1_RSA_PKCS1V5', rsa(undefined, 'pkcs1')],
  ['PKIX_RSA_PKCS1V5', rsa()],
  ['PKIX_RSA_PKCS1V15_2048_SHA256', rsa(2048)],
  ['PKIX_RSA_PKCS1V15_3072_SHA256', rsa(3072)],
  ['PKIX_RSA_PKCS1V15_4096_SHA256', rsa(4096)],
  ['PKIX_ECDSA_P256_SHA_256', onCurve('prime256v1')],
  ['PKIX_ECDSA_P384_SHA_256', onCurve('secp384r1')],
  ['PKIX_ECDSA_P384_SHA_384', onCurve('secp384r1')],
  ['PKIX_ED25519', ofType('ed25519')],
  ['ML_DSA_65', ofType('ml-dsa-65')],
]);

/**
 * Reads an entry of `tlogs` or `ctlogs` whose form `parseTrustedRoot` has checked.
 * @throws UnusableEntry; call it inside `usable`.
 */
export function readLog(log: Shape, allowed: readonly ExperimentalAlgorithm[]): Log {
  // The form first, all of it: whether a file is damaged must not depend on an algorithm.
  const publicKey = log.get('publicKey');
  const details = publicKey.get('keyDetails').string(100);
  const raw = bytesAt(publicKey.get('rawBytes'));
  const logId = bytesAt(log.get('logId').get('keyId'));
  const baseURL = log.get('baseUrl').string(2000);
  const form = keyForms.get(details);
  if (form === undefined) {
    throw new UnusableEntry(`its keyDetails are ${quoted(details)}, unknown to tcf`, true);
  }
  const key = readKey(raw, form.encoding, 'its key');
  if (!form.fits(key)) {
    throw new UnusableEntry(`its keyDetails say ${details}, and ${describeKey(key)}`);
  }
  checkAlgorithm(key, 'its key', allowed);
  // Rekor v2 names the id by which its checkpoints call the key; rotated shards have it beside the log's id.
  const checkpointKey = optionalMember(log, 'checkpointKeyId');
  return {
    baseURL,
    logID: Buffer.from(checkpointKey === undefined ? logId : bytesAt(checkpointKey.get('keyId'))),
    publicKey: key,
    validFor: windowOf(publicKey.get('validFor')),
  };
}

/** As `readLog`, for an entry of `certificateAuthorities`. */
export function readAuthority(authority: Shape, allowed: readonly ExperimentalAlgorithm[]): Authority {
  const certificates = authority.get('certChain').get('certificates').list(10);
  const certChain = certificates.map((shape, at) =>
    readCertificate(bytesAt(shape.get('rawBytes')), at, allowed),
  );
  return { certChain, validFor: windowOf(authority.get('validFor')) };
}

const timeStamping = '1.3.6.1.5.5.7.3.8';

/** As `readLog`, for an entry of `timestampAuthorities`. */
export function readTimestampAuthority(shape: Shape, allowed: readonly ExperimentalAlgorithm[]): Authority {
  const authority = readAuthority(shape, allowed);
  // RFC 3161 section 2.3: a key that may also sign other things could be talked into signing a time.
  const mayStamp = authority.certChain
    .slice(0, 1)
    .every((leaf) => extendedUsagesOf(leaf).includes(timeStamping));
  if (!mayStamp) {
    throw new UnusableEntry('its first certificate lacks the usage timeStamping');
  }
  return authority;
}

function readCertificate(
  bytes: Uint8Array,
  at: number,
  allowed: readonly ExperimentalAlgorithm[],
): CachedCertificate {
  const what = `its certificate ${at + 1}`;
  const certificate = attempt(what, () => {
    // Certificates are read lazily; what a verification or `trust show` asks later is asked here once.
    const read = new CachedCertificate(bytes);
    const dates = [read.notBefore, read.notAfter, new X509Certificate(bytes).validToDate];
    if (dates.some((date) => Number.isNaN(date.getTime()))) {
      throw new Error('it holds an invalid date');
    }
    extendedUsagesOf(read);
    return read;
  });
  checkAlgorithm(readKey(certificate.publicKey, 'spki', `the key of ${what.slice(4)}`), what, allowed);
  return certificate;
}

/** The parsers of @sigstore and OpenSSL throw errors without a common class. */
function attempt<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UnusableEntry(`${what} cannot be read: ${printable(reasonOf(error))}`);
  }
}

function readKey(bytes: Uint8Array, encoding: KeyForm['encoding'], what: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(bytes), format: 'der', type: encoding });
  } catch (error) {
    const isForeign = isForeignAlgorithm(bytes);
    throw new UnusableEntry(`${what} cannot be read: ${printable(reasonOf(error))}`, isForeign);
  }
}

/** ecPublicKey (a curve is told apart later), rsaEncryption, Ed25519. */
const readAlgorithms = ['1.2.840.10045.2.1', '1.2.840.113549.1.1.1', '1.3.101.112'];

/** Whether a SubjectPublicKeyInfo is well formed and of an algorithm that this Node.js cannot read. */
function isForeignAlgorithm(spki: Uint8Array): boolean {
  try {
    const oid = ASN1Obj.parseBuffer(Buffer.from(spki)).subs[0]?.subs[0]?.toOID();
    return oid !== undefined && !readAlgorithms.includes(oid);
  } catch {
    return false;
  }
}

/** Roots of private authorities are often P-521. */
function checkAlgorithm(key: KeyObject, what: string, allowed: readonly ExperimentalAlgorithm[]): void {
  if (isStrongKey(key) || key.asymmetricKeyDetails?.namedCurve === 'secp521r1') {
    return;
  }
  const type = key.asymmetricKeyType ?? 'unknown';
  if (allowed.some((algorithm) => algorithm === type)) {
    return;
  }
  if (experimentalAlgorithms.some((algorithm) => algorithm === type)) {
    throw new UnusableEntry(`${what} is of ${type}, which counts only with trust.experimental`, true);
  }
  const isForeign = !['ec', 'rsa'].includes(type);
  throw new UnusableEntry(
    isForeign ? `${what} is of ${type}, unknown to tcf` : `${what} is too weak: ${describeKey(key)}`,
    isForeign,
  );
}

function windowOf(validFor: Shape): { readonly start: Date; readonly end: Date } {
  const end = optionalMember(validFor, 'end');
  return {
    start: new Date(validFor.get('start').string()),
    end: end === undefined ? endOfTime : new Date(end.string()),
  };
}
