import { expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { parseTrustedRoot } from '../../src/attest/trusted-root.ts';
import type { Refusal, Verified } from '../../src/attest/verified.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { imageDigest, jsonBytes, keyBundle, type Loose, testKey } from '../support/key-bundle.ts';
import { rootOf } from '../support/log.ts';
import { newTimestampAuthority } from '../support/sigstore/tsa.ts';

/* Signatures by a key, with the timestamp of an authority (RFC 3161). */

const key = testKey();
const stampedAt = new Date('2026-06-01T00:00:00Z');
const tsa = newTimestampAuthority(() => stampedAt);
const root: Loose = rootOf();
root.timestampAuthorities.push({
  subject: { organization: 'sigstore.test', commonName: 'tsa' },
  uri: 'https://tsa.test',
  certChain: { certificates: tsa.chain.map((bytes) => ({ rawBytes: bytes.toString('base64') })) },
  validFor: { start: '2026-01-01T00:00:00Z' },
});

/** `stamp`: makes the timestamp of a signature. */
function stamped(
  stamp: (signature: Buffer) => Buffer = (signature) => tsa.stamp(signature),
  times = 1,
): Outcome<Verified, Refusal> {
  const bundle = keyBundle(key);
  const signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64');
  const signedTimestamp = stamp(signature).toString('base64');
  bundle.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp }] };
  const parsed = parseBundle(jsonBytes(bundle));
  const trust = {
    roots: [parseTrustedRoot(jsonBytes(root))],
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
