import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Cosign2Layer, parseCosign2Layer } from '../../src/attest/cosign2.ts';
import { formatStatement, predicateTypes, toStatement } from '../../src/attest/statement.ts';
import { parseTrustedRoot, type Trust } from '../../src/attest/trusted-root.ts';
import type { Refusal, Verified } from '../../src/attest/verified.ts';
import { verifyCosign2 } from '../../src/attest/verify.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { attLayer, sigLayer, simpleSigning } from '../support/cosign2.ts';
import { imageDigest, otherDigest, testKey } from '../support/key-bundle.ts';
import { newSigstore, testIdentity } from '../support/sigstore.ts';

const now = new Date('2026-11-23T12:00:00Z');
const sigstore = newSigstore({ now: () => now });
const team = testKey();
const stranger = testKey();
const leafKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const trust: Trust = {
  roots: [parseTrustedRoot(sigstore.trustedRoot)],
  keys: [stranger.trusted, team.trusted],
};

const payload = simpleSigning(imageDigest, { env: 'prod', count: 7 });
const statement = formatStatement(
  toStatement({
    subject: imageDigest,
    predicateType: predicateTypes.cyclonedx,
    predicate: { bomFormat: 'x' },
  }),
);

function verify(layer: Cosign2Layer, trusted: Trust = trust): Outcome<Verified, Refusal> {
  const parsed = parseCosign2Layer(layer);
  return parsed.ok ? verifyCosign2(parsed.value, trusted, { subject: imageDigest }, now) : parsed;
}

const keySig = sigLayer({ payload, key: team.privateKey });
const keyAtt = attLayer({ payload: statement, key: team.privateKey });
const keylessSig = sigLayer({ payload, key: leafKey, sigstore });
const keylessAtt = attLayer({ payload: statement, key: leafKey, sigstore });

const byTeam = { kind: 'key', fingerprint: team.trusted.fingerprint };
const byAnn = { kind: 'keyless', ...testIdentity };

test.for([
  ['a .sig layer by a key, found among several', keySig, byTeam, predicateTypes.signature, 0],
  ['an .att layer by a key', keyAtt, byTeam, predicateTypes.cyclonedx, 0],
  ['a keyless .sig layer with a promise of Rekor', keylessSig, byAnn, predicateTypes.signature, 1],
  ['a keyless .att layer with a promise of Rekor', keylessAtt, byAnn, predicateTypes.cyclonedx, 1],
] as const)('%s counts', ([, layer, signer, predicateType, logs]) => {
  const outcome = verify(layer);
  expect(outcome).toMatchObject({ ok: true, value: { signer, statement: { predicateType } } });
  expect(outcome.ok ? outcome.value.logs : []).toHaveLength(logs);
});

test('annotations that are empty are annotations that are not there', () => {
  const empty = ['certificate', 'bundle', 'rfc3161timestamp'].map((name) => [
    `dev.sigstore.cosign/${name}`,
    '',
  ]);
  const layer = { ...keySig, annotations: { ...keySig.annotations, ...Object.fromEntries(empty) } };
  expect(verify(layer)).toMatchObject({ ok: true });
});

test('signed annotations are those of the payload, and only texts', () => {
  const outcome = verify(keySig);
  expect(outcome.ok ? outcome.value.statement.subjects : []).toEqual([
    { name: 'registry.test/triton/dev', digests: [imageDigest], annotations: { env: 'prod' } },
  ]);
});

/** The layer with one thing changed. */
function changed(layer: Cosign2Layer, change: Partial<Cosign2Layer>): Cosign2Layer {
  return { ...layer, ...change, annotations: { ...layer.annotations, ...change.annotations } };
}

const signed = (content: string) => sigLayer({ payload: Buffer.from(content), key: team.privateKey });
const rekor = 'dev.sigstore.cosign/bundle';
const entry = JSON.parse(keylessSig.annotations[rekor] ?? '');
const withEntry = (change: object) =>
  changed(keylessSig, {
    annotations: { [rekor]: JSON.stringify({ ...entry, Payload: { ...entry.Payload, ...change } }) },
  });
const critical = {
  identity: { 'docker-reference': '' },
  image: { 'docker-manifest-digest': imageDigest },
  type: 'cosign container image signature',
};

test.for([
  ['a key that nobody trusts', sigLayer({ payload, key: testKey().privateKey }), 'key.unknown'],
  [
    'an envelope by a key that nobody trusts',
    attLayer({ payload: statement, key: testKey().privateKey }),
    'key.unknown',
  ],
  ['a payload changed by one byte', changed(keySig, { content: Buffer.from(`${payload} `) }), 'key.unknown'],
  [
    'another image',
    sigLayer({ payload: simpleSigning(otherDigest), key: team.privateKey }),
    'statement.subject',
  ],
  [
    'another kind of payload by the same key',
    signed(JSON.stringify({ critical: { ...critical, type: 'atomic container signature' }, optional: null })),
    'statement.malformed',
  ],
  [
    'an unknown field beside critical',
    signed(JSON.stringify({ critical, optional: null, more: 1 })),
    'cosign2.malformed',
  ],
  [
    'a digest in upper case',
    signed(
      JSON.stringify({
        critical: { ...critical, image: { 'docker-manifest-digest': imageDigest.toUpperCase() } },
      }),
    ),
    'cosign2.malformed',
  ],
  [
    'an unknown field in critical',
    signed(JSON.stringify({ critical: { ...critical, more: 1 }, optional: null })),
    'cosign2.malformed',
  ],
  [
    'an unknown field beside the digest',
    signed(
      JSON.stringify({
        critical: { ...critical, image: { 'docker-manifest-digest': imageDigest, more: 1 } },
        optional: null,
      }),
    ),
    'cosign2.malformed',
  ],
  [
    'an unknown field beside the log entry',
    changed(keylessSig, { annotations: { [rekor]: JSON.stringify({ ...entry, more: 1 }) } }),
    'cosign2.malformed',
  ],
  [
    'an unknown field beside a timestamp',
    changed(keySig, {
      annotations: {
        'dev.sigstore.cosign/rfc3161timestamp': '{"SignedRFC3161Timestamp": "AAAA", "more": 1}',
      },
    }),
    'cosign2.malformed',
  ],
  [
    'a signature that is no base64',
    changed(keySig, { annotations: { 'dev.cosignproject.cosign/signature': '***' } }),
    'cosign2.malformed',
  ],
  [
    'a certificate that is no base64',
    changed(keylessSig, {
      annotations: {
        'dev.sigstore.cosign/certificate': '-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n',
      },
    }),
    'cosign2.malformed',
  ],
  ['no signature at all', { ...keySig, annotations: {} }, 'cosign2.malformed'],
  ['a layer of another type', changed(keySig, { mediaType: 'application/json' }), 'cosign2.type'],
  ['an envelope called a payload', changed(keyAtt, { mediaType: keySig.mediaType }), 'cosign2.malformed'],
  ['a payload called an envelope', changed(keySig, { mediaType: keyAtt.mediaType }), 'cosign2.malformed'],
  [
    'a keyless signature without its log entry',
    { ...keylessSig, annotations: { ...keylessSig.annotations, [rekor]: '' } },
    'time.missing',
  ],
  [
    'a certificate that is none',
    changed(keylessSig, { annotations: { 'dev.sigstore.cosign/certificate': 'x' } }),
    'cosign2.malformed',
  ],
  [
    'the log entry of another signature',
    changed(keylessSig, {
      annotations: { [rekor]: sigLayer({ payload, key: leafKey, sigstore }).annotations[rekor] ?? '' },
    }),
    'log.signature',
  ],
  [
    'the log entry of an envelope',
    changed(keylessSig, { annotations: { [rekor]: keylessAtt.annotations[rekor] ?? '' } }),
    'log.signature',
  ],
  [
    'a time that the log did not promise',
    withEntry({ integratedTime: entry.Payload.integratedTime + 1 }),
    'log.promise',
  ],
  [
    'an index that the log did not promise',
    withEntry({ logIndex: entry.Payload.logIndex + 1 }),
    'log.promise',
  ],
  ['a log that is not trusted', withEntry({ logID: '0'.repeat(64) }), 'log.unknown'],
  ['a log id in upper case', withEntry({ logID: entry.Payload.logID.toUpperCase() }), 'cosign2.malformed'],
  ['an unknown field in the log entry', withEntry({ inclusionProof: {} }), 'cosign2.malformed'],
  [
    'a certificate of another issue',
    changed(keylessSig, {
      annotations: {
        'dev.sigstore.cosign/certificate':
          sigLayer({ payload, key: leafKey, sigstore }).annotations['dev.sigstore.cosign/certificate'] ?? '',
      },
    }),
    'log.key',
  ],
] as const)('does not count: %s', ([, layer, code]) => {
  expect(verify(layer)).toMatchObject({ ok: false, reason: { code } });
});

test('a keyless signature needs the root of its instance', () => {
  const other = newSigstore({ now: () => now });
  const trusted = { roots: [parseTrustedRoot(other.trustedRoot)], keys: [] };
  expect(verify(keylessSig, trusted)).toMatchObject({ ok: false });
});
