import { toHex } from '../base/bytes.ts';
import type { Outcome } from '../base/outcome.ts';
import { plural, quoted } from '../base/text.ts';
import type { Bundle } from './bundle.ts';
import { isSelfIssued, type Leaf, readLeaf } from './certificate.ts';
import { checkCheckpoint } from './checkpoint.ts';
import type { SignedContent } from './content.ts';
import { claimedTimes, type Thresholds, verifyCore } from './core.ts';
import { checkLogBody } from './log-body.ts';
import { answer, guarded, type Refusal, refused } from './refusal.ts';
import { hintOf, isWithin, type TrustedKey } from './trusted-key.ts';
import { listsLog, type Trust, type TrustedRoot } from './trusted-root.ts';
import type { ProvenSigner } from './verified.ts';

/** Who made the signature, and when it provably existed; nothing yet about what was signed. */
export interface Proven {
  readonly signer: ProvenSigner;
  /** Earliest first. */
  readonly times: readonly Date[];
  readonly logs: readonly { readonly logId: string; readonly logIndex: string }[];
}

/**
 * Proves the signature of a bundle over `content` by whom `trust` believes.
 * @throws a refusal or TcfError; call it inside `answer`.
 */
export function prove(bundle: Bundle, content: SignedContent, trust: Trust, now: Date): Proven {
  return bundle.signer.kind === 'key'
    ? proveKey(bundle, bundle.signer.hint, content, trust, now)
    : proveKeyless(bundle, readSigningLeaf(bundle.signer), content, trust);
}

const gitHubInternal = 'GitHub, Inc.';

/**
 * GitHub's instance for private repositories has no log of any kind; a timestamp suffices there
 * (actions/attest). Its root says so by listing no log. The name alone says nothing: the owner of a root with
 * logs could give an authority that name and sign without the logs.
 */
function thresholdsOf(leaf: Leaf, root: TrustedRoot): Thresholds {
  return !listsLog(root) && leaf.issuerOrganization === gitHubInternal
    ? { logs: 0, scts: 0, times: 1 }
    : { logs: 1, scts: 1, times: 1 };
}

function proveKeyless(bundle: Bundle, leaf: Leaf, content: SignedContent, trust: Trust): Proven {
  checkSignature(content, leaf.key);
  const times = claimedTimes(bundle);
  // a leaf lives ten minutes; without a trusted time nobody knows whether its key was still the
  // signer's.
  if (times.length === 0) {
    throw refused('time.missing', 'nothing proves when the signature was made');
  }
  // every trusted time, not just one: a later timestamp does not make the signature earlier.
  for (const time of times) {
    if (!isWithin(leaf.validity, time)) {
      throw refused(
        'certificate.expired',
        `the certificate was not valid at ${time.toISOString()}, when it was used`,
      );
    }
  }
  return inOneRoot(trust.roots, (root) => {
    const thresholds = thresholdsOf(leaf, root);
    const logs = checkEntries(bundle, content, leaf.der, root, times);
    verifyCore(bundle, content, leaf, root.material, thresholds);
    return { signer: leaf.signer, times, logs };
  });
}

function readSigningLeaf(signer: { readonly leaf: Uint8Array; readonly chain: readonly Uint8Array[] }): Leaf {
  // A root that arrives with the signature is the signer's word about itself.
  if (signer.chain.some(isSelfIssued)) {
    throw refused('certificate.root', 'the bundle brings its own root certificate');
  }
  return readLeaf(signer.leaf);
}

function proveKey(
  bundle: Bundle,
  hint: string | undefined,
  content: SignedContent,
  trust: Trust,
  now: Date,
): Proven {
  const trusted = keyNamed(hint, content, trust.keys);
  // Empty is allowed, DSSE calls it optional; another key's name beside this key's signature is a mix of two
  // bundles.
  if (
    bundle.content.kind === 'dsse' &&
    !['', hintOf(trusted.fingerprint)].includes(bundle.content.envelope.keyid)
  ) {
    throw refused('key.keyid', 'the envelope and the bundle name different keys');
  }
  checkSignature(content, trusted.key);
  const { logs, times } = proveLogsAndTimes(bundle, content, trusted, trust);
  // without a trusted time the key has to be valid today.
  for (const time of times.length > 0 ? times : [now]) {
    if (!isWithin(trusted.validFor, time)) {
      throw refused('key.window', `the key ${quoted(trusted.name)} is not trusted for ${time.toISOString()}`);
    }
  }
  return { signer: { kind: 'key', fingerprint: trusted.fingerprint, name: trusted.name }, times, logs };
}

function keyNamed(hint: string | undefined, content: SignedContent, keys: readonly TrustedKey[]): TrustedKey {
  if (hint === undefined) {
    const fitting = keys.find(({ key }) => content.isSignedBy(key));
    if (fitting === undefined) {
      throw refused('key.unknown', 'no trusted key made the signature');
    }
    return fitting;
  }
  const named = keys.find(({ fingerprint }) => hintOf(fingerprint) === hint);
  if (named === undefined) {
    throw refused('key.unknown', `no trusted key has the fingerprint ${quoted(hint)} that the bundle names`);
  }
  return named;
}

/**
 * Log entries and timestamps of a signature by a key. Without a trusted root nothing can prove them, so they
 * do not count; a bundle without them reads no root.
 */
function proveLogsAndTimes(
  bundle: Bundle,
  content: SignedContent,
  trusted: TrustedKey,
  trust: Trust,
): Pick<Proven, 'times' | 'logs'> {
  const required = { logs: trust.keyThreshold?.logs ?? 0, times: trust.keyThreshold?.times ?? 0, scts: 0 };
  const hasEvidence = bundle.entries.length > 0 || bundle.timestamps.length > 0;
  const isProvable = hasEvidence && trust.roots.length > 0;
  const times = isProvable ? claimedTimes(bundle) : [];
  if (times.length < required.times) {
    throw refused('time.missing', 'nothing proves when the signature was made');
  }
  if (!isProvable && required.logs > 0) {
    throw refused('log.missing', 'no transparency log entry proves the signature');
  }
  if (!isProvable) {
    return { times, logs: [] };
  }
  const der = trusted.key.export({ format: 'der', type: 'spki' });
  return inOneRoot(trust.roots, (root) => {
    const logs = checkEntries(bundle, content, der, root, times);
    const publicKey = () => ({ publicKey: trusted.key, validFor: () => true });
    verifyCore(bundle, content, undefined, { ...root.material, publicKey }, required);
    return { times, logs };
  });
}

function checkSignature(content: SignedContent, key: TrustedKey['key']): void {
  const fits = guarded(
    () => ({ code: 'signature.invalid', message: 'the signature cannot be read' }),
    () => content.isSignedBy(key),
  );
  if (!fits) {
    throw refused('signature.invalid', 'the signature does not fit what was signed');
  }
}

/**
 * What @sigstore/verify leaves open about log entries: that each is about this signature by this signer,
 * under a checkpoint of this log, in the time in which the log's key counts; and that the logs are distinct
 * (A-54, CVE-2026-49834: one log twice counts once). @sigstore/verify counts whether they are enough.
 */
function checkEntries(
  bundle: Bundle,
  content: SignedContent,
  signer: Uint8Array,
  root: TrustedRoot,
  times: readonly Date[],
): Proven['logs'] {
  const logs = new Map<string, string>();
  for (const entry of bundle.entries) {
    checkLogBody(entry, content, signer);
    const logId = toHex(entry.logId);
    const known = root.material.tlogs.filter((log) => toHex(log.logID) === logId);
    const log = known.find(({ validFor }) => times.every((time) => isWithin(validFor, time)));
    if (known.length === 0) {
      throw refused('log.unknown', `the log ${logId} is not in the trusted root`);
    }
    if (log === undefined) {
      throw refused('log.window', `the key of the log ${logId} was not valid at that time`);
    }
    if (entry.proof?.checkpoint !== undefined) {
      checkCheckpoint(entry.proof.checkpoint, entry.proof, log);
    }
    if (logs.has(logId)) {
      throw refused('log.duplicate', `the log ${logId} has two entries in the bundle`);
    }
    // Only the promise signs the index outside the proof; without one, the index that the proof walked is the
    // proven one.
    logs.set(
      logId,
      entry.signedEntryTimestamp === undefined ? (entry.proof?.logIndex ?? '') : entry.logIndex,
    );
  }
  return [...logs].map(([logId, logIndex]) => ({ logId, logIndex }));
}

/**
 * The first root that proves everything. Domains never mix: a certificate of one instance with the timestamp
 * of another is no proof. Where all refuse, the most telling reason is given: that of a root which knew the
 * certificate's authority.
 */
function inOneRoot<T>(roots: readonly TrustedRoot[], proof: (root: TrustedRoot) => T): T {
  let reason: Refusal = {
    code: 'certificate.untrusted',
    message: 'no trusted root for certificates is given',
  };
  for (const root of roots) {
    const outcome: Outcome<T, Refusal> = answer('bundle.malformed', () => proof(root));
    if (outcome.ok) {
      return outcome.value;
    }
    if (isAboutOtherRoot(reason)) {
      reason = withSkipped(outcome.reason, root);
    }
  }
  throw refused(reason.code, reason.message);
}

const causedByMissingEntry = ['certificate.untrusted', 'certificate.sct', 'log.unknown', 'time.invalid'];

/**
 * A refusal for want of an entry names the entries of the root that were skipped: one of them may be the
 * cause.
 */
function withSkipped({ code, message }: Refusal, { skipped }: TrustedRoot): Refusal {
  const [first] = skipped;
  if (first === undefined || !causedByMissingEntry.includes(code)) {
    return { code, message };
  }
  const count = plural(skipped.length, 'entry', 'entries');
  return {
    code,
    message: `${message} (${count} of the trusted root not used: ${first.path}: ${first.reason})`,
  };
}

function isAboutOtherRoot({ code }: Refusal): boolean {
  return code === 'certificate.untrusted' || code === 'log.unknown';
}
