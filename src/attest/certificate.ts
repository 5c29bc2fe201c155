import { createPublicKey, type KeyObject } from 'node:crypto';
import { type ASN1Obj, X509Certificate } from '@sigstore/core';
import { reasonOf } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { CachedCertificate } from './cached-certificate.ts';
import { readIdentity } from './identity.ts';
import { guarded, refused } from './refusal.ts';
import { describeKey, isStrongKey } from './trusted-key.ts';
import type { KeylessSigner } from './verified.ts';

/**
 * A signing certificate that has the form of one; whether it is to be believed is for `verifyAttestation`.
 */
export interface Leaf {
  readonly certificate: X509Certificate;
  readonly der: Uint8Array;
  readonly key: KeyObject;
  readonly validity: { readonly start: Date; readonly end: Date };
  readonly signer: KeylessSigner;
  /** `O` of the issuer's name: it tells GitHub's internal instance from the public one. */
  readonly issuerOrganization: string;
}

const oids = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  organization: '2.5.4.10',
};
const understood = [oids.keyUsage, oids.subjectAltName, oids.basicConstraints, oids.extendedKeyUsage];

/** Every extension of a Fulcio leaf fits several times. */
const maxExtensions = 100;

/**
 * Reads the leaf and checks what makes a certificate one for signing code. Refused with
 * `certificate.malformed`, `certificate.duplicate-extension`, `certificate.critical`, `certificate.usage`,
 * `certificate.key`, and as `readIdentity` does.
 * @throws a refusal; call it inside `answer`.
 */
export function readLeaf(der: Uint8Array): Leaf {
  return guarded(
    (thrown) => ({
      code: 'certificate.malformed',
      message: `the certificate cannot be read: ${printable(reasonOf(thrown))}`,
    }),
    () => {
      const certificate = new CachedCertificate(der);
      const extensions = extensionsOf(certificate);
      checkUsage(certificate);
      const key = createPublicKey({ key: certificate.publicKey, format: 'der', type: 'spki' });
      // A 512 bit RSA key or a curve that nobody reviewed is a certificate for everybody.
      if (!isStrongKey(key)) {
        throw refused('certificate.key', `the certificate's key is too weak: ${describeKey(key)}`);
      }
      return {
        certificate,
        der,
        key,
        // An invalid date is a refusal here; further on it would end the process.
        validity: { start: dateOf(certificate.notBefore), end: dateOf(certificate.notAfter) },
        signer: readIdentity(extensions),
        issuerOrganization: organizationOf(certificate),
      };
    },
  );
}

function dateOf(date: Date): Date {
  if (Number.isNaN(date.getTime())) {
    throw refused('certificate.malformed', 'the certificate holds an invalid date');
  }
  return date;
}

/**
 * The extensions by OID; a second one of the same kind is refused, since two readers would take different
 * ones.
 */
function extensionsOf(certificate: X509Certificate): ReadonlyMap<string, ASN1Obj> {
  const extensions = new Map<string, ASN1Obj>();
  if (certificate.extensions.length > maxExtensions) {
    throw refused('certificate.malformed', `the certificate has more than ${maxExtensions} extensions`);
  }
  for (const extension of certificate.extensions) {
    const oid = extension.subs[0]?.toOID() ?? '';
    const value = extension.subs.at(-1);
    if (!value?.tag.isOctetString()) {
      throw refused('certificate.malformed', `the extension ${oid} has no value`);
    }
    if (extensions.has(oid)) {
      throw refused('certificate.duplicate-extension', `the certificate carries the extension ${oid} twice`);
    }
    // RFC 5280 section 4.2: a critical extension that we do not process ends the verification.
    if (certificate.extension(oid)?.critical && !understood.includes(oid)) {
      throw refused('certificate.critical', `the certificate carries an unknown critical extension ${oid}`);
    }
    extensions.set(oid, value);
  }
  return extensions;
}

/** a CA or a TLS certificate of the same authority is not a signing certificate. */
function checkUsage(certificate: X509Certificate): void {
  if (certificate.extBasicConstraints?.isCA === true || certificate.extKeyUsage?.keyCertSign === true) {
    throw refused('certificate.usage', 'the certificate belongs to a certificate authority, not to a signer');
  }
  if (certificate.extKeyUsage?.digitalSignature !== true) {
    throw refused('certificate.usage', 'the certificate lacks the usage digitalSignature');
  }
  if (!extendedUsagesOf(certificate).includes(oids.codeSigning)) {
    throw refused('certificate.usage', 'the certificate lacks the extended usage codeSigning');
  }
}

/** OIDs of the extended key usage (RFC 5280 section 4.2.1.12). */
export function extendedUsagesOf(certificate: X509Certificate): readonly string[] {
  const sequence = certificate.extension(oids.extendedKeyUsage)?.valueObj.subs[0];
  return sequence?.subs.map((usage) => usage.toOID()) ?? [];
}

/** A self-signed certificate in a bundle asks to be taken for a root. */
export function isSelfIssued(der: Uint8Array): boolean {
  return guarded(
    () => ({ code: 'certificate.malformed', message: 'a certificate of the chain cannot be read' }),
    () => {
      // The parser takes DER and nothing else: trailing bytes or a second spelling would be two certificates
      // to two readers.
      const certificate = X509Certificate.parse(Buffer.from(der));
      return certificate.subject.equals(certificate.issuer);
    },
  );
}

function organizationOf(certificate: X509Certificate): string {
  const name = certificate.tbsCertificate.subs[3]?.subs ?? [];
  const organizations = name
    .flatMap((relative) => relative.subs)
    .filter((attribute) => attribute.subs[0]?.toOID() === oids.organization)
    .map((attribute) => attribute.subs[1]?.value.toString('latin1') ?? '');
  return organizations.length === 1 ? (organizations[0] ?? '') : '';
}
