import type { ProvenSigner } from '../attest/verified.ts';
import { matchesIdentity } from './glob.ts';

/** Mail providers whose mailboxes have the same owner with and without dots. */
const dotless = ['gmail.com', 'googlemail.com'];

const isMail = (identity: string): boolean => /^[^/@]+@[^/@]+$/.test(identity);

/**
 * An identity, or a pattern of one, without the case that nobody tells apart: a mail address, and of a URI
 * scheme, host, owner and repository. The rest of a path is a file of the repository, where case counts.
 */
export function foldIdentity(identity: string): string {
  if (!identity.includes('://')) {
    return identity.toLowerCase();
  }
  const [scheme = '', empty = '', host = '', owner = '', repository = '', ...path] = identity.split('/');
  const folded = [scheme, empty, host, owner, repository].map((piece) => piece.toLowerCase());
  return [...folded, ...path].slice(0, identity.split('/').length).join('/');
}

/**
 * The mailbox behind an address: `ada+ci@acme.example` is read by Ada. `undefined` for what is not an
 * address.
 */
export function mailboxOf(identity: string): string | undefined {
  if (!isMail(identity)) {
    return undefined;
  }
  const [local = '', domain = ''] = identity.toLowerCase().split('@');
  const name = local.replace(/(?!^)\+.*/, '');
  return dotless.includes(domain) ? `${name.replaceAll('.', '')}@gmail.com` : `${name}@${domain}`;
}

/**
 * Whether an entry of a deny list means this identity: without case, and each mailbox with all its addresses.
 */
export function isMeantBy(pattern: string, identity: string): boolean {
  const wanted = foldIdentity(pattern);
  const mailbox = mailboxOf(identity);
  return (
    matchesIdentity(wanted, foldIdentity(identity)) ||
    (mailbox !== undefined &&
      (matchesIdentity(wanted, mailbox) || (mailboxOf(wanted) === mailbox && !hasTag(wanted))))
  );
}

/** An entry with a tag of its own means that address alone. */
function hasTag(address: string): boolean {
  return /^[^@]+\+/.test(address);
}

/**
 * Who a signer is, for telling two apart: a key, a mailbox, or another identity at its issuer. One mailbox is
 * one person whichever issuer asked for it, and one workflow at two refs is one signer, or a person with
 * leave to push tags would count several times.
 */
export function signerKey(signer: ProvenSigner): string {
  if (signer.kind === 'key') {
    return signer.fingerprint;
  }
  const mailbox = mailboxOf(signer.identity);
  if (mailbox !== undefined) {
    return mailbox;
  }
  const identity = foldIdentity(signer.identity);
  return `${signer.issuer} ${identity.includes('://') ? identity.replace(/@[^@]*$/, '') : identity}`;
}

/**
 * Who answers for a signer: the owner of the source that was built, by the number or URL that the certificate
 * has for it, or else host and first path component of the identity. A reusable workflow of somebody else
 * runs for its caller. A key and a mailbox answer for themselves.
 */
export function ownerKey(signer: ProvenSigner): string {
  if (signer.kind === 'key' || mailboxOf(signer.identity) !== undefined) {
    return signerKey(signer);
  }
  const { claims, identity, issuer } = signer;
  const own = (claim: string): string | undefined =>
    Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  const owner = own('sourceRepositoryOwnerUri') ?? own('sourceRepositoryUri') ?? identity;
  const [host = '', name = ''] = foldIdentity(owner)
    .replace(/^[a-z][a-z0-9+.-]*:\/+/, '')
    .split(/[/@]/);
  return `${issuer} ${host}/${name}`;
}
