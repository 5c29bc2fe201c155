import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { der, extension, oid, sequence, utf8 } from '../certificate.ts';
import { algorithm as algorithmId, bits, integer, octets, setOf, tagged, utcTime } from './der.ts';

const ecdsaWithSha256: Buffer = algorithmId('1.2.840.10045.4.3.2');

export function spkiOf(key: KeyObject): Buffer {
  return (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'der', type: 'spki' });
}

export const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();

export const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/** What a certificate says. Everything can be given, so that a test can make a wrong one. */
export interface CertificateParts {
  readonly subject: Uint8Array;
  /** Any key: its public half goes in. */
  readonly key: KeyObject;
  readonly from: Date;
  readonly to: Date;
  readonly extensions: readonly Uint8Array[];
}

export interface Issuer {
  readonly key: KeyObject;
  readonly name: Uint8Array;
  /** Its own certificate in DER. */
  readonly certificate: Buffer;
}

export function name(organization: string, commonName: string): Buffer {
  const part = (type: string, value: string) => setOf(sequence(oid(type), utf8(value)));
  return sequence(part('2.5.4.10', organization), part('2.5.4.3', commonName));
}

type Make<Args extends readonly unknown[]> = (...args: Args) => Buffer;

export const extensions: {
  readonly digitalSignature: Buffer;
  readonly certificateSign: Buffer;
  readonly extendedUsage: Make<[usage: string, critical?: boolean]>;
  readonly authority: Make<[pathLength?: number]>;
  readonly subjectKey: Make<[key: KeyObject]>;
  readonly authorityKey: Make<[key: KeyObject]>;
  readonly email: Make<[address: string]>;
  readonly uri: Make<[address: string]>;
  /** 1.3.6.1.4.1.57264.1.`number` of Fulcio: raw text up to 6, a UTF8String from 8 on. */
  readonly fulcio: Make<[number: number, text: string]>;
} = {
  digitalSignature: extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
  certificateSign: extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true),
  extendedUsage: (usage: string, critical = false): Buffer =>
    extension('2.5.29.37', sequence(oid(usage)), critical),
  authority: (pathLength?: number): Buffer =>
    extension(
      '2.5.29.19',
      sequence(der(0x01, Buffer.from([0xff])), ...(pathLength === undefined ? [] : [integer(pathLength)])),
      true,
    ),
  subjectKey: (key: KeyObject): Buffer => extension('2.5.29.14', octets(keyIdOf(key))),
  authorityKey: (key: KeyObject): Buffer => extension('2.5.29.35', sequence(der(0x80, keyIdOf(key)))),
  email: (address: string): Buffer => extension('2.5.29.17', sequence(der(0x81, Buffer.from(address))), true),
  uri: (address: string): Buffer => extension('2.5.29.17', sequence(der(0x86, Buffer.from(address))), true),
  fulcio: (number: number, text: string): Buffer =>
    extension(`1.3.6.1.4.1.57264.1.${number}`, number < 8 ? Buffer.from(text) : utf8(text)),
};

function keyIdOf(key: KeyObject): Buffer {
  return createHash('sha1').update(spkiOf(key)).digest();
}

/** The part of a certificate that is signed. */
export function toBeSigned(
  parts: CertificateParts,
  issuer: Uint8Array,
  serial: Uint8Array,
  algorithm: Uint8Array = ecdsaWithSha256,
): Buffer {
  return sequence(
    tagged(0, integer(2)),
    integer(serial),
    algorithm,
    issuer,
    sequence(utcTime(parts.from), utcTime(parts.to)),
    parts.subject,
    spkiOf(parts.key),
    tagged(3, sequence(...parts.extensions)),
  );
}

export function certify(tbs: Uint8Array, key: KeyObject): Buffer {
  return sequence(tbs, algorithmOf(key), bits(signWith(key, tbs)));
}

/** RFC 9881 section 2: ML-DSA-65 signs the bytes themselves, without parameters. */
const mlDsa65 = sequence(oid('2.16.840.1.101.3.4.3.18'));
const isMlDsa = (key: KeyObject) => key.asymmetricKeyType === 'ml-dsa-65';

export const algorithmOf = (key: KeyObject): Buffer => (isMlDsa(key) ? mlDsa65 : ecdsaWithSha256);

export const signWith = (key: KeyObject, bytes: Uint8Array): Buffer =>
  sign(isMlDsa(key) ? null : 'sha256', bytes, key);

/** Positive, and without a leading zero, as DER wants it. */
export function newSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

export const authorityLife: Readonly<Record<'from' | 'to', Date>> = {
  from: new Date('2020-01-01T00:00:00Z'),
  to: new Date('2045-01-01T00:00:00Z'),
};

export function newRoot(organization: string, commonName: string, key: KeyObject = newKey()): Issuer {
  const subject = name(organization, commonName);
  const parts = [extensions.certificateSign, extensions.authority(), extensions.subjectKey(key)];
  const content = { subject, key, ...authorityLife, extensions: parts };
  const tbs = toBeSigned(content, subject, newSerial(), algorithmOf(key));
  return { key, name: subject, certificate: certify(tbs, key) };
}

export function newIntermediate(root: Issuer, organization: string, commonName: string): Issuer {
  const key = newKey();
  const subject = name(organization, commonName);
  const parts = [
    extensions.certificateSign,
    extensions.authority(0),
    extensions.subjectKey(key),
    extensions.authorityKey(root.key),
  ];
  const tbs = toBeSigned({ subject, key, ...authorityLife, extensions: parts }, root.name, newSerial());
  return { key, name: subject, certificate: certify(tbs, root.key) };
}
