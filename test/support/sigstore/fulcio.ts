import { type KeyObject, sign } from 'node:crypto';
import { extension, sequence } from '../certificate.ts';
import {
  certify,
  extensions,
  type Issuer,
  newIntermediate,
  newKey,
  newRoot,
  newSerial,
  sha256,
  spkiOf,
  toBeSigned,
} from './authority.ts';
import { octets } from './der.ts';

/** Whom a certificate is for. */
export interface Identity {
  readonly issuer: string;
  /** With an `@` and without `://` it becomes an e-mail address, otherwise a URI. */
  readonly identity: string;
  /** Further Fulcio extensions by number: `{ 12: 'https://github.com/o/r' }`. */
  readonly claims?: Readonly<Record<number, string>>;
}

export interface LeafOptions {
  /** Default: now until ten minutes later. */
  readonly from?: Date;
  readonly to?: Date;
  /** Leaves the SCT away, or has another key sign it. */
  readonly sct?: 'none' | 'forged';
  /** In place of keyUsage and extended key usage. */
  readonly usage?: readonly Uint8Array[];
  /** In place of the subject alternative name. */
  readonly san?: Uint8Array;
  readonly more?: readonly Uint8Array[];
}

/** Fulcio and its certificate transparency log, without the network. */
export interface Fulcio {
  /** Intermediate first, as in a trusted root. */
  readonly chain: readonly Buffer[];
  readonly ctKey: KeyObject;
  /** A leaf for the public half of `key`, in DER. */
  issue(key: KeyObject, identity: Identity, options?: LeafOptions): Buffer;
}

const codeSigning = '1.3.6.1.5.5.7.3.3';
const sctList = '1.3.6.1.4.1.11129.2.4.2';

export function newFulcio(now: () => Date, organization = 'sigstore.test'): Fulcio {
  const root = newRoot(organization, 'sigstore');
  const intermediate = newIntermediate(root, organization, 'sigstore-intermediate');
  const ctKey = newKey();
  return {
    chain: [intermediate.certificate, root.certificate],
    ctKey,
    issue: (key, identity, options = {}) => {
      const from = options.from ?? now();
      const to = options.to ?? new Date(Number(from) + 600_000);
      const parts = leafExtensions(key, intermediate, identity, options);
      const serial = newSerial();
      const body = (list: readonly Uint8Array[]) =>
        toBeSigned({ subject: sequence(), key, from, to, extensions: list }, intermediate.name, serial);
      if (options.sct === 'none') {
        return certify(body(parts), intermediate.key);
      }
      const sct = timestampOf(
        body(parts),
        intermediate,
        ctKey,
        options.sct === 'forged' ? newKey() : ctKey,
        from,
      );
      return certify(body([...parts, extension(sctList, octets(sct))]), intermediate.key);
    },
  };
}

function leafExtensions(
  key: KeyObject,
  intermediate: Issuer,
  { issuer, identity, claims = {} }: Identity,
  { usage, san, more = [] }: LeafOptions,
): Buffer[] {
  const isEmail = identity.includes('@') && !identity.includes('://');
  return [
    ...(usage ?? [extensions.digitalSignature, extensions.extendedUsage(codeSigning)]),
    extensions.subjectKey(key),
    extensions.authorityKey(intermediate.key),
    san ?? (isEmail ? extensions.email(identity) : extensions.uri(identity)),
    extensions.fulcio(1, issuer),
    extensions.fulcio(8, issuer),
    ...Object.entries(claims).map(([number, text]) => extensions.fulcio(Number(number), text)),
    ...more,
  ].map((part) => Buffer.from(part));
}

/** A list of one SCT (RFC 6962, 3.2 and 3.3) over the certificate without it. */
function timestampOf(tbs: Buffer, issuer: Issuer, log: KeyObject, signingKey: KeyObject, time: Date): Buffer {
  const stamp = Buffer.alloc(8);
  stamp.writeBigUInt64BE(BigInt(Number(time)));
  const signed = Buffer.concat([
    Buffer.from([0, 0]),
    stamp,
    Buffer.from([0, 1]),
    sha256(spkiOf(issuer.key)),
    Buffer.from([tbs.length >> 16, (tbs.length >> 8) & 0xff, tbs.length & 0xff]),
    tbs,
    Buffer.from([0, 0]),
  ]);
  const signature = sign('sha256', signed, signingKey);
  const sct = Buffer.concat([
    Buffer.from([0]),
    sha256(spkiOf(log)),
    stamp,
    Buffer.from([0, 0, 4, 3]),
    short(signature.length),
    signature,
  ]);
  return Buffer.concat([short(sct.length + 2), short(sct.length), sct]);
}

function short(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
