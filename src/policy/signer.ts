import type { Signer } from '../attest/verified.ts';
import { printable } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';

/** A signer that a policy names: who may sign, never who did. */
export type TrustedSigner = TrustedIdentity | TrustedKey;

export interface TrustedIdentity {
  readonly kind: 'keyless';
  readonly name: string;
  /** Compared whole. */
  readonly issuer: string;
  /** Compared whole, but `*` stands for any characters except `/` and `@`. */
  readonly identity: string;
  /** Fulcio extensions that must have exactly these values. */
  readonly claims: Readonly<Record<string, string>>;
}

export interface TrustedKey {
  readonly kind: 'key';
  readonly name: string;
  /** Public key (SubjectPublicKeyInfo) as PEM, for the verifier. */
  readonly pem: string;
  /** Digest of the same key in DER: what is compared. */
  readonly fingerprint: Digest;
}

/** Why this signer is not the trusted one; `undefined` where it is. */
export function mismatch(trusted: TrustedSigner, signer: Signer): string | undefined {
  if (trusted.kind === 'key') {
    return signer.kind === 'key' && signer.fingerprint === trusted.fingerprint ? undefined : 'another key';
  }
  if (signer.kind !== 'keyless') return 'a key, not an identity';
  if (!matchesIdentity(trusted.identity, signer.identity)) return 'another identity';
  // anybody can run an issuer that hands out this identity.
  if (signer.issuer !== trusted.issuer) return `the issuer is ${printable(signer.issuer)}`;
  // the workflow may be right and yet run for a fork or a pull request.
  const claim = Object.entries(trusted.claims).find(([key, value]) => !hasClaim(signer.claims, key, value));
  return claim === undefined
    ? undefined
    : `its claim ${claim[0]} is ${describeClaim(signer.claims, claim[0])}, not ${claim[1]}`;
}

function hasClaim(claims: Readonly<Record<string, string>>, key: string, value: string): boolean {
  return Object.hasOwn(claims, key) && claims[key] === value;
}

function describeClaim(claims: Readonly<Record<string, string>>, key: string): string {
  return Object.hasOwn(claims, key) ? printable(claims[key] ?? '') : 'absent';
}

/**
 * Whether the whole identity fits the pattern. `*` crosses neither `/` nor `@`, so a pattern never reaches into another host,
 * owner, path component or ref. No regular expressions: their unescaped dots and missing anchors are how peers failed.
 */
export function matchesIdentity(pattern: string, identity: string): boolean {
  const wanted = pattern.split(/([/@])/);
  const actual = identity.split(/([/@])/);
  return (
    wanted.length === actual.length &&
    wanted.every((piece, index) => matchesPiece(piece, actual[index] ?? ''))
  );
}

/** Leftmost match of each literal part: linear in practice, whatever the identity is. */
function matchesPiece(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return text === head;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** What is wrong with an identity in a policy; `undefined` where nothing is. */
export function identityProblem(identity: string): string | undefined {
  if (/[\s\u0000-\u001f\u007f-\uffff]/.test(identity)) return 'holds blanks or characters beyond ASCII';
  if (/^\^|\$$|\\|(?:^|\/)\.[*+]/.test(identity))
    return 'is a regular expression; only * is known, and it stops at / and @';
  if (!identity.includes('*')) return undefined;
  if (identity.includes('**')) return 'holds **; * stops at / and @, and nothing goes beyond them';
  // what is left open must not be who, only what of theirs.
  const owner = /^[a-z][a-z0-9+.-]*:\/\/[^/*@?#]+\/[^/*@]+\/|^[^/@]+@[^/@*]+$/;
  return owner.test(identity)
    ? undefined
    : 'leaves open whose identity it is; write host and owner out before the first *';
}

/** Who signed, for people. Safe to print. */
export function describeSigner(signer: Signer): string {
  return signer.kind === 'key'
    ? `key ${printable(signer.name)} (${signer.fingerprint})`
    : `${printable(signer.identity)} (issuer ${printable(signer.issuer)})`;
}

/** Who should have signed, for people. */
export function describeTrusted(trusted: TrustedSigner): string {
  return trusted.kind === 'key'
    ? `${trusted.name}: key ${trusted.fingerprint}`
    : `${trusted.name}: ${trusted.identity} (issuer ${trusted.issuer})`;
}
