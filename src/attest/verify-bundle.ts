import { no, type Outcome, yes } from '../base/outcome.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { type Bundle, parseBundle } from './bundle.ts';
import type { Proven } from './proof.ts';
import type { Refusal } from './refusal.ts';
import { parsePublicKey } from './trusted-key.ts';
import { type KeyThreshold, parseTrustedRoot, type Trust } from './trusted-root.ts';
import { verifyAttestation } from './verify.ts';
import { type Artifact, digestsOf, verifyBlob } from './verify-blob.ts';

/** What `tcf verify-bundle` is asked, with the files already read. */
export interface BundleQuestion {
  readonly bundle: Uint8Array;
  readonly trustedRoot: Uint8Array;
  readonly expected: ExpectedIdentity | ExpectedKey;
  readonly artifact: Artifact;
  /** What a signature by a key needs, where that is not a log and a time, as in cosign. */
  readonly keyThreshold?: KeyThreshold;
}

/** Both are compared exactly, byte for byte. */
export interface ExpectedIdentity {
  readonly identity: string;
  readonly issuer: string;
}

export interface ExpectedKey {
  readonly pem: string;
  /** For messages: the file of the key. */
  readonly name: string;
}

/**
 * Verifies one bundle against one artifact, as the CLI protocol of sigstore-conformance asks it. A DSSE
 * bundle has to be a statement about the artifact, a messageSignature bundle a signature over it.
 *
 * @throws TcfError (exit 2) for a trusted root or key that cannot be read; everything about the bundle is a
 *   refusal.
 */
export function verifyBundleAgainst(question: BundleQuestion, now: Date): Outcome<Proven, Refusal> {
  const { expected, artifact } = question;
  const trust: Trust = {
    roots: [parseTrustedRoot(question.trustedRoot)],
    keys: 'pem' in expected ? [parsePublicKey(expected.pem, expected.name)] : [],
    keyThreshold: question.keyThreshold ?? { logs: 1, times: 1 },
  };
  const parsed = parseBundle(question.bundle);
  if (!parsed.ok) {
    return parsed;
  }
  const bundle = parsed.value;
  // The caller named a key or an identity; a bundle of the other kind answers another question.
  if ((bundle.signer.kind === 'key') !== 'pem' in expected) {
    const message = `the bundle is signed with a ${bundle.signer.kind}, which is not what was asked for`;
    return no({ code: 'signer.kind', message });
  }
  const proven =
    bundle.content.kind === 'message'
      ? verifyBlob(bundle, trust, artifact, now)
      : verifyStatement(bundle, trust, artifact, now);
  return proven.ok && 'identity' in expected ? matching(proven.value, expected) : proven;
}

/** A statement may know the artifact by its sha512 only. */
function verifyStatement(
  bundle: Bundle,
  trust: Trust,
  artifact: Artifact,
  now: Date,
): Outcome<Proven, Refusal> {
  const content = typeof artifact === 'string' ? {} : { content: artifact };
  const ask = (subject: Digest) => verifyAttestation(bundle, trust, { subject, ...content }, now);
  const [first, ...others] = digestsOf(artifact);
  const outcome = ask(first);
  return outcome.ok ? outcome : (others.map(ask).find(({ ok }) => ok) ?? outcome);
}

function matching(proven: Proven, expected: ExpectedIdentity): Outcome<Proven, Refusal> {
  const { signer } = proven;
  // A bundle by a key was turned away before; no issuer knows it.
  const { identity, issuer }: ExpectedIdentity =
    signer.kind === 'keyless' ? signer : { identity: signer.fingerprint, issuer: '' };
  if (identity !== expected.identity) {
    return no({ code: 'signer.identity', message: `the signer is ${quoted(identity)}` });
  }
  if (issuer !== expected.issuer) {
    return no({ code: 'signer.issuer', message: `the signer's OIDC issuer is ${quoted(issuer)}` });
  }
  return yes(proven);
}
