import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../src/attest/log-entry.ts';
import { checkPromise } from '../../src/attest/log-promise.ts';
import { answer } from '../../src/attest/refusal.ts';
import type { TrustedRoot } from '../../src/attest/trusted-root.ts';

interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const logId = Buffer.from('10'.repeat(32), 'hex');
const body = Buffer.from('{"kind":"hashedrekord"}');
/** Rekor's own order and spelling: RFC 8785 over the four members. */
const promised = Buffer.from(
  `{"body":"${body.toString('base64')}","integratedTime":1780272000,"logID":"${'10'.repeat(32)}","logIndex":7}`,
);

function entry(signedEntryTimestamp?: Uint8Array): LogEntry {
  return {
    kind: 'hashedrekord',
    apiVersion: '0.0.1',
    logId,
    logIndex: '7',
    integratedTime: '1780272000',
    body,
    ...(signedEntryTimestamp === undefined ? {} : { signedEntryTimestamp }),
  };
}

const material = (...keys: readonly KeyObject[]): TrustedRoot['material'] =>
  ({ tlogs: keys.map((publicKey) => ({ logID: logId, publicKey })) }) as never;
const ask = (one: LogEntry, root: TrustedRoot['material']) =>
  answer('bundle.malformed', () => checkPromise(one, root));

describe.for<readonly [string, () => Pair, 'sha256' | null]>([
  ['P-256, over SHA-256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sha256'],
  ['Ed25519, which hashes by itself', () => generateKeyPairSync('ed25519'), null],
  ['ML-DSA-65, which hashes by itself', () => generateKeyPairSync('ml-dsa-65'), null],
])('the promise of a log with a key of %s', ([, pair, hash]) => {
  const { privateKey, publicKey } = pair();
  const kept = sign(hash, promised, privateKey);

  test('counts where that key made it', () => {
    expect(ask(entry(kept), material(publicKey)).ok).toBe(true);
  });

  test('counts for nothing where another key made it, or nobody', () => {
    const refusal = { ok: false, reason: { code: 'log.promise' } };
    expect(ask(entry(kept), material(pair().publicKey))).toMatchObject(refusal);
    expect(ask(entry(), material(publicKey))).toMatchObject(refusal);
    expect(ask({ ...entry(kept), logIndex: '8' }, material(publicKey))).toMatchObject(refusal);
  });
});
