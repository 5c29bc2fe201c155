import { createHash, type KeyObject } from 'node:crypto';
import { oid, sequence } from '../certificate.ts';
import {
  algorithmOf,
  authorityLife,
  certify,
  extensions,
  name,
  newKey,
  newRoot,
  newSerial,
  sha256,
  signWith,
  toBeSigned,
} from './authority.ts';
import { generalizedTime, integer, octets, setOf, tagged } from './der.ts';

const oids = {
  signedData: oid('1.2.840.113549.1.7.2'),
  tstInfo: oid('1.2.840.113549.1.9.16.1.4'),
  contentType: oid('1.2.840.113549.1.9.3'),
  messageDigest: oid('1.2.840.113549.1.9.4'),
  signingCertificateV2: oid('1.2.840.113549.1.9.16.2.47'),
  sha256: oid('2.16.840.1.101.3.4.2.1'),
  sha512: oid('2.16.840.1.101.3.4.2.3'),
  policy: oid('1.3.6.1.4.1.57264.2'),
};

/** A timestamp authority (RFC 3161), without the network. */
export interface TimestampAuthority {
  /** Leaf first, as in a trusted root. */
  readonly chain: readonly Buffer[];
  /** `TimeStampResp` over the SHA-256 of a signature. */
  stamp(signature: Uint8Array, time?: Date): Buffer;
  stampDigest(digest: Uint8Array, time?: Date): Buffer;
}

/** @param makeKey of the authority and of its root: P-256 or ML-DSA-65. */
export function newTimestampAuthority(
  now: () => Date,
  organization = 'sigstore.test',
  makeKey: () => KeyObject = newKey,
): TimestampAuthority {
  const root = newRoot(organization, 'tsa-root', makeKey());
  const key = makeKey();
  const serial = newSerial();
  const usage = [
    extensions.digitalSignature,
    extensions.extendedUsage('1.3.6.1.5.5.7.3.8', true),
    extensions.subjectKey(key),
    extensions.authorityKey(root.key),
  ];
  const subject = name(organization, 'tsa');
  const content = { subject, key, ...authorityLife, extensions: usage };
  const tbs = toBeSigned(content, root.name, serial, algorithmOf(root.key));
  const leaf = certify(tbs, root.key);

  const stampDigest = (digest: Uint8Array, time = now()): Buffer => {
    const algorithm = sequence(oids.sha256);
    // RFC 9882 section 3.3: with ML-DSA the attributes hold a SHA-512.
    const hash = key.asymmetricKeyType === 'ec' ? 'sha256' : 'sha512';
    const digestAlgorithm = sequence(oids[hash]);
    const infoDigest = (bytes: Uint8Array) => createHash(hash).update(bytes).digest();
    const info = sequence(
      integer(1),
      oids.policy,
      sequence(algorithm, octets(digest)),
      integer(newSerial()),
      generalizedTime(time),
    );
    const attribute = (type: Uint8Array, value: Uint8Array) => sequence(type, setOf(value));
    const attributes = [
      attribute(oids.contentType, oids.tstInfo),
      attribute(oids.messageDigest, octets(infoDigest(info))),
      attribute(oids.signingCertificateV2, sequence(sequence(sequence(octets(sha256(leaf)))))),
    ].sort(Buffer.compare);
    const signature = signWith(key, setOf(...attributes));
    const signer = sequence(
      integer(1),
      sequence(root.name, integer(serial)),
      digestAlgorithm,
      tagged(0, ...attributes),
      algorithmOf(key),
      octets(signature),
    );
    const signedData = sequence(
      integer(3),
      setOf(digestAlgorithm),
      sequence(oids.tstInfo, tagged(0, octets(info))),
      setOf(signer),
    );
    return sequence(sequence(integer(0)), sequence(oids.signedData, tagged(0, signedData)));
  };
  return {
    chain: [leaf, root.certificate],
    stamp: (signature, time) => stampDigest(sha256(signature), time),
    stampDigest,
  };
}
