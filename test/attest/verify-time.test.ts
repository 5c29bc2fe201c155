import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import type { Refusal } from '../../src/attest/refusal.ts';
import { parseTrustedRoot, type RootOptions } from '../../src/attest/trusted-root.ts';
import type { Verified } from '../../src/attest/verified.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { imageDigest, jsonBytes, keyBundle, type Loose, testKey } from '../support/key-bundle.ts';
import { rootOf } from '../support/log.ts';
import { newTimestampAuthority } from '../support/sigstore/tsa.ts';

/* Signatures by a key, with the timestamp of an authority (RFC 3161). */

const key = testKey();
const stampedAt = new Date('2026-06-01T00:00:00Z');
const tsa = newTimestampAuthority(() => stampedAt);
const postQuantum = newTimestampAuthority(
  () => stampedAt,
  'pq.test',
  () => generateKeyPairSync('ml-dsa-65').privateKey,
);
const root: Loose = rootOf();
for (const { chain } of [tsa, postQuantum]) {
  root.timestampAuthorities.push({
    subject: { organization: 'sigstore.test', commonName: 'tsa' },
    uri: 'https://tsa.test',
    certChain: { certificates: chain.map((bytes) => ({ rawBytes: bytes.toString('base64') })) },
    validFor: { start: '2026-01-01T00:00:00Z' },
  });
}

/** `stamp`: makes the timestamp of a signature. */
function stamped(
  stamp: (signature: Buffer) => Buffer = (signature) => tsa.stamp(signature),
  times = 1,
  options: RootOptions = {},
): Outcome<Verified, Refusal> {
  const bundle = keyBundle(key);
  const signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64');
  const signedTimestamp = stamp(signature).toString('base64');
  bundle.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp }] };
  const parsed = parseBundle(jsonBytes(bundle));
  const trust = {
    roots: [parseTrustedRoot(jsonBytes(root), options)],
    keys: [key.trusted],
    keyThreshold: { logs: 0, times },
  };
  const now = new Date('2026-12-01T00:00:00Z');
  return parsed.ok ? verifyAttestation(parsed.value, trust, { subject: imageDigest }, now) : parsed;
}

/** PKIStatusInfo (RFC 3161 section 2.4.2) comes first: SEQUENCE { INTEGER 0 }. */
function withStatus(timestamp: Buffer, status: number): Buffer {
  timestamp[timestamp.indexOf(Buffer.from([0x30, 0x03, 0x02, 0x01, 0x00])) + 4] = status;
  return timestamp;
}

test('a signature with a timestamp has its time', () => {
  expect(stamped()).toMatchObject({ ok: true, value: { times: [stampedAt] } });
});

test('a timestamp that was granted with changes counts', () => {
  expect(stamped((signature) => withStatus(tsa.stamp(signature), 1))).toMatchObject({ ok: true });
});

test.for<[string, (signature: Buffer) => Buffer]>([
  ['refused', (signature) => withStatus(tsa.stamp(signature), 2)],
  ['put off', (signature) => withStatus(tsa.stamp(signature), 3)],
  ['made for another signature', () => tsa.stamp(Buffer.from('another'))],
  ['made by another authority', (signature) => newTimestampAuthority(() => stampedAt).stamp(signature)],
])('a timestamp that was %s does not count', ([, stamp]) => {
  const refused = { ok: false, reason: { code: 'time.invalid' } };
  expect(stamped(stamp)).toMatchObject(refused);
  expect(stamped(stamp, 0)).toMatchObject(refused);
});

describe('a timestamp by ML-DSA-65', () => {
  const on: RootOptions = { experimental: ['ml-dsa-65'] };

  test('counts where the policy says so', () => {
    expect(stamped((signature) => postQuantum.stamp(signature), 1, on)).toMatchObject({
      ok: true,
      value: { times: [stampedAt] },
    });
  });

  test('does not count elsewhere, and the refusal says why', () => {
    expect(stamped((signature) => postQuantum.stamp(signature))).toMatchObject({
      ok: false,
      reason: {
        code: 'time.invalid',
        message: expect.stringMatching(/timestampAuthorities\[1\].* is of ml-dsa-65/),
      },
    });
  });

  test.for<[string, (signature: Buffer) => Buffer]>([
    ['made for another signature', () => postQuantum.stamp(Buffer.from('another'))],
    ['with one bit changed', (signature) => flippedAtEnd(postQuantum.stamp(signature))],
    [
      'made by another authority',
      (signature) =>
        newTimestampAuthority(
          () => stampedAt,
          'pq.test',
          () => generateKeyPairSync('ml-dsa-65').privateKey,
        ).stamp(signature),
    ],
  ])('that was %s does not count', ([, stamp]) => {
    expect(stamped(stamp, 1, on)).toMatchObject({ ok: false, reason: { code: 'time.invalid' } });
  });
});

/** The signature is the last part of a token. */
function flippedAtEnd(timestamp: Buffer): Buffer {
  timestamp[timestamp.length - 1] = (timestamp.at(-1) ?? 0) ^ 1;
  return timestamp;
}
