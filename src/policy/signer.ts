import { isWithin, type TimeWindow } from '../attest/trusted-key.ts';
import type { ProvenSigner, Verified } from '../attest/verified.ts';
import { printable } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { type GitHubRun, mismatchOfRun } from './github-run.ts';
import { matchesIdentity } from './glob.ts';

/** A signer that a policy names: who may sign, never who did. */
export type TrustedSigner = TrustedIdentity | PolicyKey;

interface Named {
  readonly name: string;
  /** When its signatures count; always, where absent. */
  readonly validFor?: TimeWindow;
}

export interface TrustedIdentity extends Named {
  readonly kind: 'keyless';
  /** Compared whole. */
  readonly issuer: string;
  /** Compared whole, but `*` stands for any characters except `/` and `@`. */
  readonly identity: string;
  /** Fulcio extensions that must have exactly these values. */
  readonly claims: Readonly<Record<string, string>>;
  /** What GitHub Actions has to say of the run. */
  readonly github?: GitHubRun;
}

export interface PolicyKey extends Named {
  readonly kind: 'key';
  /** Public key (SubjectPublicKeyInfo) as PEM, for the verifier. */
  readonly pem: string;
  /** Digest of the same key in DER: what is compared. */
  readonly fingerprint: Digest;
}

/** Why this signer is not the trusted one; `undefined` where it is. */
export function mismatch(trusted: TrustedSigner, signer: ProvenSigner): string | undefined {
  if (trusted.kind === 'key') {
    return signer.kind === 'key' && signer.fingerprint === trusted.fingerprint ? undefined : 'another key';
  }
  if (signer.kind !== 'keyless') {
    return 'a key, not an identity';
  }
  if (!matchesIdentity(trusted.identity, signer.identity)) {
    return 'another identity';
  }
  // anybody can run an issuer that hands out this identity.
  if (signer.issuer !== trusted.issuer) {
    return `the issuer is ${printable(signer.issuer)}`;
  }
  // the workflow may be right and yet run for a fork or a pull request.
  const claim = Object.entries(trusted.claims).find(([key, value]) => !hasClaim(signer.claims, key, value));
  if (claim !== undefined) {
    return mismatchOfClaim(signer.claims, claim[0], claim[1]);
  }
  return trusted.github === undefined ? undefined : mismatchOfRun(trusted.github, signer.claims);
}

/**
 * When the signature was made outside the time in which the policy lets the signer sign; `undefined`
 * where it was not. Every trusted time counts; where no witness tells one, today does.
 */
export function outsideWindow(trusted: TrustedSigner, { times }: Verified, now: Date): Date | undefined {
  return (times.length > 0 ? times : [now]).find((time) => !isWithin(trusted.validFor, time));
}

/**
 * An entry for `signers` that names exactly this identity, to be pasted by whoever trusts it; in JSON's
 * spelling, which YAML reads the same. None for a key, which a fingerprint does not give, and none where a
 * policy could not spell the identity, or a `*` in it would name others too.
 */
export function suggestSigner(signer: ProvenSigner): string | undefined {
  if (signer.kind === 'key') {
    return undefined;
  }
  const { identity, issuer } = signer;
  if (!/^[!-)+-~]+$/.test(identity + issuer)) {
    return undefined;
  }
  return printable(`{ issuer: ${JSON.stringify(issuer)}, identity: ${JSON.stringify(identity)} }`, 4000);
}

function mismatchOfClaim(claims: Readonly<Record<string, string>>, key: string, wanted: string): string {
  return `its claim ${key} is ${describeClaim(claims, key)}, not ${wanted}`;
}

function hasClaim(claims: Readonly<Record<string, string>>, key: string, value: string): boolean {
  return Object.hasOwn(claims, key) && claims[key] === value;
}

function describeClaim(claims: Readonly<Record<string, string>>, key: string): string {
  return Object.hasOwn(claims, key) ? printable(claims[key] ?? '') : 'absent';
}

/** What is wrong with an identity in a policy; `undefined` where nothing is. */
export function identityProblem(identity: string): string | undefined {
  if (/[\s\u0000-\u001f\u007f-\uffff]/.test(identity)) {
    return 'holds blanks or characters beyond ASCII';
  }
  if (/^\^|\$$|\\|(?:^|\/)\.[*+]/.test(identity)) {
    return 'is a regular expression; only * is known, and it stops at / and @';
  }
  if (!identity.includes('*')) {
    return undefined;
  }
  if (identity.includes('**')) {
    return 'holds **; * stops at / and @, and nothing goes beyond them';
  }
  // what is left open must not be who, only what of theirs.
  const owner = /^[a-z][a-z0-9+.-]*:\/\/[^/*@?#]+\/[^/*@]+\/|^[^/@]+@[^/@*]+$/;
  return owner.test(identity)
    ? undefined
    : 'leaves open whose identity it is; write host and owner out before the first *';
}

/** Who signed, for people. Safe to print. */
export function describePolicySigner(signer: ProvenSigner): string {
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
