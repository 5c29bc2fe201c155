import type { Branded } from '../base/brand.ts';
import type { Digest } from '../oci/digest.ts';
import type { Statement } from './statement.ts';

/** Who signed, as proven by the certificate or the key; never by unsigned data around the signature. */
export type ProvenSigner = KeylessSigner | KeySigner;

export interface KeylessSigner {
  readonly kind: 'keyless';
  /** OIDC issuer from the Fulcio extension 1.3.6.1.4.1.57264.1.8, or .1.1 where only that one is present. */
  readonly issuer: string;
  /** The one subject alternative name of the leaf: a URI or an e-mail address, strict UTF-8. */
  readonly identity: string;
  /**
   * The other Fulcio extensions by their names in the Fulcio OID page: `sourceRepositoryUri`, `buildTrigger`,
   * ...
   */
  readonly claims: Readonly<Record<string, string>>;
}

export interface KeySigner {
  readonly kind: 'key';
  /** Digest of the public key's SubjectPublicKeyInfo in DER. */
  readonly fingerprint: Digest;
  /** How the caller named the key: a file, a policy entry. */
  readonly name: string;
}

interface VerifiedParts {
  readonly statement: Statement;
  /** Which subject of the statement carries the digest that was asked for. */
  readonly subjectIndex: number;
  readonly signer: ProvenSigner;
  /**
   * Times at which the signature provably existed, earliest first: RFC 3161 tokens, Rekor integrated times
   * with a promise. Empty only for a key without log entry and timestamp, where the trust asks for neither.
   */
  readonly times: readonly Date[];
  /** Transparency log entries that were proven, one for each distinct log. */
  readonly logs: readonly { readonly logId: string; readonly logIndex: string }[];
}

/**
 * A DSSE envelope whose signature, certificate, log entries, timestamps and statement have all been checked.
 * Minted by `verifyAttestation` only.
 */
export type Verified = Branded<VerifiedParts, 'Verified'>;
