import type { ASN1Obj } from '@sigstore/core';
import { decodeUtf8 } from '../base/bytes.ts';
import { refused } from './refusal.ts';
import type { KeylessSigner } from './verified.ts';

const subjectAltName = '2.5.29.17';
const fulcio = '1.3.6.1.4.1.57264.1';

/**
 * github.com/sigstore/fulcio docs/oid-info.md. 1 to 6 are raw strings, 8 to 24 DER UTF8Strings; 7 is a kind
 * of name.
 */
const claimNames: Readonly<Record<number, string>> = {
  2: 'githubWorkflowTrigger',
  3: 'githubWorkflowSha',
  4: 'githubWorkflowName',
  5: 'githubWorkflowRepository',
  6: 'githubWorkflowRef',
  9: 'buildSignerUri',
  10: 'buildSignerDigest',
  11: 'runnerEnvironment',
  12: 'sourceRepositoryUri',
  13: 'sourceRepositoryDigest',
  14: 'sourceRepositoryRef',
  15: 'sourceRepositoryIdentifier',
  16: 'sourceRepositoryOwnerUri',
  17: 'sourceRepositoryOwnerIdentifier',
  18: 'buildConfigUri',
  19: 'buildConfigDigest',
  20: 'buildTrigger',
  21: 'runInvocationUri',
  22: 'sourceRepositoryVisibilityAtSigning',
  23: 'deploymentEnvironment',
  24: 'tokenSubject',
};

const utf8String = 0x0c;
const rfc822Name = 1;
const uniformResourceIdentifier = 6;

/**
 * Reads who signed from the extensions of a Fulcio leaf. Refused with `certificate.identity`,
 * `certificate.issuer` or `certificate.claim`.
 * @throws a refusal; call it inside `answer`.
 */
export function readIdentity(extensions: ReadonlyMap<string, ASN1Obj>): KeylessSigner {
  const claims = Object.entries(claimNames).flatMap(([number, name]) => {
    const extension = extensions.get(`${fulcio}.${number}`);
    return extension === undefined ? [] : [[name, readClaim(extension, Number(number))] as const];
  });
  return {
    kind: 'keyless',
    issuer: readIssuer(extensions),
    identity: readName(extensions.get(subjectAltName)),
    claims: Object.fromEntries(claims),
  };
}

/**
 * Exactly one name (A-36: with two, the one that a policy wants hides the one that signed), a URI or an
 * e-mail address in visible ASCII (A-38: readers that mask the high bit see "http" in the bytes E8 F4 F4 F0).
 */
function readName(extension: ASN1Obj | undefined): string {
  const names = extension?.subs[0]?.subs ?? [];
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw refused('certificate.identity', `the certificate names ${names.length} signers, not exactly one`);
  }
  if (!name.tag.isContextSpecific(rfc822Name) && !name.tag.isContextSpecific(uniformResourceIdentifier)) {
    throw refused(
      'certificate.identity',
      'the signer in the certificate is neither a URI nor an e-mail address',
    );
  }
  if (name.value.length === 0 || !name.value.every((byte) => byte > 0x20 && byte < 0x7f)) {
    throw refused(
      'certificate.identity',
      'the signer in the certificate has bytes that are not visible ASCII',
    );
  }
  return name.value.toString('latin1');
}

function readIssuer(extensions: ReadonlyMap<string, ASN1Obj>): string {
  const old = extensions.get(`${fulcio}.1`);
  const current = extensions.get(`${fulcio}.8`);
  const texts = [
    ...(current === undefined ? [] : [readClaim(current, 8)]),
    ...(old === undefined ? [] : [readClaim(old, 1)]),
  ];
  const [issuer] = texts;
  if (issuer === undefined || issuer === '') {
    throw refused('certificate.issuer', 'the certificate does not say which OIDC issuer knew the signer');
  }
  // one reader takes the old extension, another the new one.
  if (texts.some((text) => text !== issuer)) {
    throw refused('certificate.issuer', 'the two OIDC issuers in the certificate differ');
  }
  return issuer;
}

function readClaim(extension: ASN1Obj, number: number): string {
  const text = decodeUtf8(number < 8 ? extension.value : unwrap(extension, number));
  if (text === undefined || /[\u0000-\u001f\u007f]/.test(text)) {
    throw refused('certificate.claim', `the extension ${fulcio}.${number} is not plain UTF-8 text`);
  }
  return text;
}

/** The content of a UTF8String that fills its extension. */
function unwrap(extension: ASN1Obj, number: number): Uint8Array {
  const [inner, ...others] = extension.subs;
  if (others.length > 0 || inner?.tag.isUniversal() !== true || inner.tag.number !== utf8String) {
    throw refused('certificate.claim', `the extension ${fulcio}.${number} is not one UTF8String`);
  }
  return inner.value;
}
