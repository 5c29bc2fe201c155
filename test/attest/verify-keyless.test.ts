import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import type { Refusal } from '../../src/attest/refusal.ts';
import { parseTrustedRoot } from '../../src/attest/trusted-root.ts';
import type { Verified } from '../../src/attest/verified.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { authority, certificate, der, extension, keyUsage, leafExtensions } from '../support/certificate.ts';
import { imageDigest, jsonBytes, keyBundle, type Loose, testKey } from '../support/key-bundle.ts';
import { dsseBody, integratedAt, logEntry, rootOf, testLog } from '../support/log.ts';
import { newTimestampAuthority } from '../support/sigstore/tsa.ts';

/*
 * What a certificate has to survive before its name counts. The authority here issues no certificate
 * timestamp, so the best that a bundle reaches is `certificate.sct`: everything before it was right.
 */

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const pair = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const log = testLog();
const signerKey = testKey();
const signerPublic = signerKey.trusted.key;
const year = { start: new Date('2026-01-01T00:00:00Z'), end: new Date('2026-12-31T00:00:00Z') };

interface Setting {
  readonly organization?: string;
  readonly caWindow?: { readonly start: Date; readonly end: Date };
  readonly leafWindow?: { readonly start: Date; readonly end: Date };
  /** Signs the leaf in place of the authority that the root names. */
  readonly impostor?: Pair;
  readonly caExtensions?: readonly Uint8Array[];
  /** Of the leaf, beside the usual ones. */
  readonly more?: readonly Uint8Array[];
}

function keyless(setting: Setting = {}): { readonly bundle: Loose; readonly root: Loose } {
  const organization = setting.organization ?? 'example.test';
  const ca = pair();
  const authorityCertificate = certificate({
    subject: organization,
    issuer: organization,
    key: ca.publicKey,
    issuerKey: ca.privateKey,
    extensions: setting.caExtensions ?? [authority, keyUsage(0x04)],
    ...(setting.caWindow ?? year),
  });
  const leaf = certificate({
    issuer: organization,
    key: signerPublic,
    issuerKey: (setting.impostor ?? ca).privateKey,
    extensions: [...Object.values(leafExtensions), ...(setting.more ?? [])],
    ...setting.leafWindow,
  });
  const bundle = keyBundle(signerKey);
  delete bundle.verificationMaterial.publicKey;
  bundle.verificationMaterial.certificate = { rawBytes: leaf.toString('base64') };
  const pem = `-----BEGIN CERTIFICATE-----\n${leaf.toString('base64')}\n-----END CERTIFICATE-----\n`;
  bundle.verificationMaterial.tlogEntries = [logEntry(log, dsseBody(bundle, pem))];
  const root = rootOf(log);
  root.certificateAuthorities.push({
    subject: { organization, commonName: organization },
    uri: 'https://fulcio.test',
    certChain: { certificates: [{ rawBytes: authorityCertificate.toString('base64') }] },
    validFor: { start: '2026-01-01T00:00:00Z' },
  });
  return { bundle, root };
}

function verify({ bundle, root }: { bundle: Loose; root: Loose }): Outcome<Verified, Refusal> {
  const parsed = parseBundle(jsonBytes(bundle));
  const trust = { roots: [parseTrustedRoot(jsonBytes(root))], keys: [signerKey.trusted] };
  return parsed.ok ? verifyAttestation(parsed.value, trust, { subject: imageDigest }, integratedAt) : parsed;
}

function changed(
  change: (bundle: Loose, root: Loose) => void,
  setting?: Setting,
): { bundle: Loose; root: Loose } {
  const made = keyless(setting);
  change(made.bundle, made.root);
  return made;
}

const witness = newTimestampAuthority(() => integratedAt, 'GitHub, Inc.');
const stamp = (signature: Uint8Array): Loose => ({
  rfc3161Timestamps: [{ signedTimestamp: witness.stamp(signature).toString('base64') }],
});

/**
 * As GitHub's instance for private repositories makes it: no log in the root and none in the bundle, but a
 * timestamp.
 */
function stamped(
  organization: string,
  change: (bundle: Loose, root: Loose) => void = () => {},
): { bundle: Loose; root: Loose } {
  return changed(
    (bundle, root) => {
      const material = bundle.verificationMaterial;
      delete material.tlogEntries;
      const signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64');
      material.timestampVerificationData = stamp(signature);
      root.tlogs = [];
      root.timestampAuthorities.push({
        subject: { organization: 'GitHub, Inc.', commonName: 'tsa' },
        uri: 'https://timestamp.test',
        certChain: {
          certificates: witness.chain.map((bytes) => ({ rawBytes: bytes.toString('base64') })),
        },
        validFor: { start: '2026-01-01T00:00:00Z' },
      });
      change(bundle, root);
    },
    { organization },
  );
}

const until = (offset: number): { start: Date; end: Date } => ({
  start: new Date('2025-01-01T00:00:00Z'),
  end: new Date(integratedAt.getTime() - offset),
});

/** A log that tcf cannot use, and that the root lists all the same. */
function unusableLogs(): Loose {
  const { tlogs } = rootOf(log);
  tlogs[0].publicKey.keyDetails = 'PKIX_NEW';
  return tlogs;
}

describe('does not count', () => {
  test.for<[string, string, { bundle: Loose; root: Loose }]>([
    ['a certificate without a certificate timestamp', 'certificate.sct', keyless()],
    [
      'the same from an authority that is called as that of GitHub, in a root with a log',
      'certificate.sct',
      keyless({ organization: 'GitHub, Inc.' }),
    ],
    [
      'one with a timestamp alone, by another authority in a root without logs',
      'certificate.sct',
      stamped('example.test'),
    ],
    [
      'the same by an authority that is called nearly as that of GitHub',
      'certificate.sct',
      stamped('GitHub, Inc. '),
    ],
    [
      'the same by one that is called so, in a root with a log of certificates',
      'certificate.sct',
      stamped('GitHub, Inc.', (_, root) => (root.ctlogs = rootOf(log).tlogs)),
    ],
    [
      'the same by one that is called so, in a root with a transparency log',
      'certificate.sct',
      stamped('GitHub, Inc.', (_, root) => (root.tlogs = rootOf(log).tlogs)),
    ],
    [
      'the same in a root with a transparency log that tcf cannot use',
      'certificate.sct',
      stamped('GitHub, Inc.', (_, root) => (root.tlogs = unusableLogs())),
    ],
    [
      'the same in a root with a certificate log that tcf cannot use',
      'certificate.sct',
      stamped('GitHub, Inc.', (_, root) => (root.ctlogs = unusableLogs())),
    ],
    [
      "a signature by GitHub's internal instance without a timestamp",
      'time.missing',
      stamped('GitHub, Inc.', (bundle) => delete bundle.verificationMaterial.timestampVerificationData),
    ],
    [
      'one whose timestamp is over another signature',
      'time.invalid',
      stamped('GitHub, Inc.', (bundle) => {
        bundle.verificationMaterial.timestampVerificationData = stamp(Buffer.from('another'));
      }),
    ],
    [
      'one with an entry of a log that its root does not know',
      'log.unknown',
      stamped('GitHub, Inc.', (bundle) => {
        const pem = `-----BEGIN CERTIFICATE-----\n${bundle.verificationMaterial.certificate.rawBytes}\n-----END CERTIFICATE-----\n`;
        bundle.verificationMaterial.tlogEntries = [logEntry(log, dsseBody(bundle, pem))];
      }),
    ],
    [
      'a list of certificate timestamps that ends too early',
      'bundle.malformed',
      keyless({ more: [extension('1.3.6.1.4.1.11129.2.4.2', der(0x04, Buffer.from([0, 200, 0, 100, 0])))] }),
    ],
    [
      'a leaf that had expired when it was used (A-43)',
      'certificate.expired',
      keyless({ leafWindow: until(1000) }),
    ],
    [
      'a leaf that was used before its time',
      'certificate.expired',
      keyless({ leafWindow: { start: new Date(integratedAt.getTime() + 1000), end: year.end } }),
    ],
    ['an authority that had expired', 'certificate.untrusted', keyless({ caWindow: until(1000) })],
    ['a leaf signed by an impostor of the same name', 'certificate.untrusted', keyless({ impostor: pair() })],
    [
      'an issuer that is not an authority',
      'certificate.untrusted',
      keyless({ caExtensions: [keyUsage(0x80)] }),
    ],
    [
      'an authority outside the window that the root gives it',
      'certificate.untrusted',
      changed((_, root) => (root.certificateAuthorities[0].validFor.end = '2026-01-01T00:00:01Z')),
    ],
    [
      'a root without authorities',
      'certificate.untrusted',
      changed((_, root) => (root.certificateAuthorities = [])),
    ],
    [
      'no trusted time (A-42)',
      'time.missing',
      changed(({ verificationMaterial: material }) => (material.tlogEntries = [])),
    ],
    [
      'a time that no promise signs',
      'time.missing',
      changed(({ verificationMaterial: material }) => delete material.tlogEntries[0].inclusionPromise),
    ],
    [
      'an entry about the bare key of the certificate',
      'log.key',
      changed((bundle) => {
        bundle.verificationMaterial.tlogEntries = [logEntry(log, dsseBody(bundle, signerKey.pem))];
      }),
    ],
    [
      'a bundle that brings the root along',
      'certificate.root',
      changed((bundle, root) => {
        const material = bundle.verificationMaterial;
        const [{ rawBytes }] = root.certificateAuthorities[0].certChain.certificates;
        material.x509CertificateChain = { certificates: [material.certificate, { rawBytes }] };
        delete material.certificate;
        bundle.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2';
      }),
    ],
    [
      'a certificate over a signature by another key',
      'signature.invalid',
      changed((bundle) => (bundle.dsseEnvelope = keyBundle(testKey()).dsseEnvelope)),
    ],
  ])('%s', ([, code, made]) => {
    expect(verify(made)).toMatchObject({ ok: false, reason: { code } });
  });
});

test("GitHub's internal instance needs neither log nor certificate timestamp, but a time", () => {
  expect(verify(stamped('GitHub, Inc.'))).toMatchObject({
    ok: true,
    value: {
      signer: { kind: 'keyless', issuer: 'https://token.actions.githubusercontent.com' },
      times: [integratedAt],
    },
  });
});

test('a refusal for want of an entry names those that were skipped, another refusal does not', () => {
  const skip = (_: Loose, root: Loose) => {
    const spoilt = structuredClone(root.tlogs[0]);
    spoilt.publicKey.rawBytes = 'AAAA';
    root.tlogs.push(spoilt);
  };
  const messageOf = (made: { bundle: Loose; root: Loose }): string => {
    const outcome = verify(made);
    return outcome.ok ? 'verified' : outcome.reason.message;
  };
  const note = '(1 entry of the trusted root not used: trustedRoot.tlogs[1]';
  expect(messageOf(changed(skip))).toContain(note);
  const otherKey = changed((bundle, root) => {
    skip(bundle, root);
    bundle.dsseEnvelope = keyBundle(testKey()).dsseEnvelope;
  });
  expect(messageOf(otherKey)).not.toContain('not used');
});
