import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Cosign2Layer, parseCosign2Layer } from '../../src/attest/cosign2.ts';
import type { Refusal } from '../../src/attest/refusal.ts';
import { digestSetOf, formatStatement, predicateTypes, toStatement } from '../../src/attest/statement.ts';
import { parseTrustedRoot, type Trust } from '../../src/attest/trusted-root.ts';
import type { Verified } from '../../src/attest/verified.ts';
import { verifyAttestation, verifyCosign2 } from '../../src/attest/verify.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { attLayer, sigLayer, simpleSigning } from '../support/cosign2.ts';
import { imageDigest, type Loose, otherDigest, testKey } from '../support/key-bundle.ts';
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
const olderAtt = attLayer({ payload: statement, key: leafKey, sigstore }, 'intoto');

const byTeam = { kind: 'key', fingerprint: team.trusted.fingerprint };
const byAnn = { kind: 'keyless', ...testIdentity };

test.for([
  ['a .sig layer by a key, found among several', keySig, byTeam, predicateTypes.signature, 0],
  ['an .att layer by a key', keyAtt, byTeam, predicateTypes.cyclonedx, 0],
  ['a keyless .sig layer with a promise of Rekor', keylessSig, byAnn, predicateTypes.signature, 1],
  ['a keyless .att layer with a promise of Rekor', keylessAtt, byAnn, predicateTypes.cyclonedx, 1],
  ['one with an entry that holds the digest of the envelope', olderAtt, byAnn, predicateTypes.cyclonedx, 1],
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

test('a payload that leaves out its annotations counts', () => {
  expect(verify(signed(JSON.stringify({ critical })))).toMatchObject({ ok: true });
});

test('signed annotations are those of the payload, and only texts', () => {
  const outcome = verify(keySig);
  expect(outcome.ok ? outcome.value.statement.subjects : []).toEqual([
    {
      name: 'registry.test/triton/dev',
      digests: [imageDigest],
      digestSet: digestSetOf([imageDigest]),
      annotations: { env: 'prod' },
    },
  ]);
});

/** The layer with one thing changed. */
function changed(layer: Cosign2Layer, change: Partial<Cosign2Layer>): Cosign2Layer {
  return { ...layer, ...change, annotations: { ...layer.annotations, ...change.annotations } };
}

const signed = (content: string) => sigLayer({ payload: Buffer.from(content), key: team.privateKey });
const rekor = 'dev.sigstore.cosign/bundle';
const certificateName = 'dev.sigstore.cosign/certificate';
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
    'a signature that is not base64',
    changed(keySig, { annotations: { 'dev.cosignproject.cosign/signature': '***' } }),
    'cosign2.malformed',
  ],
  [
    'a certificate that is not base64',
    changed(keylessSig, {
      annotations: {
        'dev.sigstore.cosign/certificate': '-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n',
      },
    }),
    'cosign2.malformed',
  ],
  ...(
    [
      ['more before', (pem: string) => `x${pem}`],
      ['more behind', (pem: string) => `${pem}x`],
    ] as const
  ).map(
    ([what, change]) =>
      [
        `a certificate with ${what} it`,
        changed(keylessSig, {
          annotations: { [certificateName]: change(keylessSig.annotations[certificateName] ?? '') },
        }),
        'cosign2.malformed',
      ] as const,
  ),
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
    'a keyless signature with a timestamp and without a log',
    changed(keylessSig, {
      annotations: {
        [rekor]: '',
        'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({
          SignedRFC3161Timestamp: sigstore.tsa
            .stamp(Buffer.from(keylessSig.annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64'))
            .toString('base64'),
        }),
      },
    }),
    'log.missing',
  ],
  [
    'an invalid certificate',
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
  ['a log id with more behind it', withEntry({ logID: `${entry.Payload.logID}00` }), 'cosign2.malformed'],
  ['a log id with more before it', withEntry({ logID: `00${entry.Payload.logID}` }), 'cosign2.malformed'],
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

describe('an entry intoto 0.0.1', () => {
  const older = JSON.parse(olderAtt.annotations[rekor] ?? '');
  const withPayload = (payload: object): Cosign2Layer =>
    changed(olderAtt, { annotations: { [rekor]: JSON.stringify({ ...older, Payload: payload }) } });
  const promised = (change: object) => withPayload({ ...older.Payload, ...change });
  /** An entry that the log keeps, with another body. */
  const logged = (change: (body: Loose) => void): Cosign2Layer => {
    const body = JSON.parse(Buffer.from(older.Payload.body, 'base64').toString());
    change(body);
    const made = sigstore.rekor.append(Buffer.from(JSON.stringify(body)));
    return changed(olderAtt, {
      annotations: {
        [rekor]: JSON.stringify({
          SignedEntryTimestamp: made.inclusionPromise?.signedEntryTimestamp,
          Payload: {
            ...older.Payload,
            body: made.canonicalizedBody,
            integratedTime: Number(made.integratedTime),
            logIndex: Number(made.logIndex),
          },
        }),
      },
    });
  };
  /** The first log promises in the name of another one. */
  const promisedFor = (logID: string): Cosign2Layer => {
    const { body, integratedTime, logIndex } = older.Payload;
    const promise = Buffer.from(JSON.stringify({ body, integratedTime, logID, logIndex }));
    const SignedEntryTimestamp = sign('sha256', promise, sigstore.rekor.key).toString('base64');
    const entry = JSON.stringify({ SignedEntryTimestamp, Payload: { ...older.Payload, logID } });
    return changed(olderAtt, { annotations: { [rekor]: entry } });
  };
  const again = attLayer({ payload: statement, key: leafKey, sigstore }, 'intoto').annotations;

  test.for<readonly [string, string, Cosign2Layer]>([
    [
      'the same envelope in another spelling',
      'log.digest',
      changed(olderAtt, { content: Buffer.from(` ${Buffer.from(olderAtt.content)}`) }),
    ],
    [
      'another envelope by the same key',
      'log.digest',
      changed(olderAtt, {
        annotations: { [rekor]: again[rekor] ?? '', [certificateName]: again[certificateName] ?? '' },
      }),
    ],
    [
      'a certificate of another issue',
      'log.key',
      changed(olderAtt, { annotations: { [certificateName]: again[certificateName] ?? '' } }),
    ],
    [
      'a time that the log did not promise',
      'log.promise',
      promised({ integratedTime: older.Payload.integratedTime + 1 }),
    ],
    [
      'an index that the log did not promise',
      'log.promise',
      promised({ logIndex: older.Payload.logIndex + 1 }),
    ],
    ['a log that is not trusted', 'log.unknown', promised({ logID: '0'.repeat(64) })],
    [
      'a promise by another log of the same root',
      'log.promise',
      promisedFor(sigstore.rekor2.id.toString('hex')),
    ],
    [
      'a promise by somebody else',
      'log.promise',
      changed(olderAtt, {
        annotations: {
          [rekor]: JSON.stringify({
            ...older,
            SignedEntryTimestamp: sign('sha256', Buffer.from('x'), team.privateKey).toString('base64'),
          }),
        },
      }),
    ],
    [
      'a promise that is not a signature',
      'log.promise',
      changed(olderAtt, {
        annotations: { [rekor]: JSON.stringify({ ...older, SignedEntryTimestamp: 'AAAA' }) },
      }),
    ],
    [
      'a digest of the payload in the place of that of the envelope',
      'log.digest',
      logged(({ spec }) => (spec.content.hash = spec.content.payloadHash)),
    ],
    [
      'a digest in another algorithm',
      'log.digest',
      logged(({ spec }) => (spec.content.hash = { algorithm: 'sha512', value: 'ab'.repeat(64) })),
    ],
    ['no digest', 'bundle.malformed', logged(({ spec }) => delete spec.content.hash)],
    ['no key', 'bundle.malformed', logged(({ spec }) => delete spec.publicKey)],
  ])('does not count: %s', ([, code, layer]) => {
    expect(verify(layer)).toMatchObject({ ok: false, reason: { code } });
  });

  test('counts only while the log did, and only where the log is known', () => {
    const root = JSON.parse(Buffer.from(sigstore.trustedRoot).toString());
    for (const log of root.tlogs) {
      log.publicKey.validFor.end = '2026-11-23T11:59:59Z';
    }
    const trusted = { roots: [parseTrustedRoot(Buffer.from(JSON.stringify(root)))], keys: [] };
    expect(verify(olderAtt, trusted)).toMatchObject({ ok: false, reason: { code: 'log.window' } });
    const other = newSigstore({ now: () => now });
    const foreign = { roots: [parseTrustedRoot(other.trustedRoot)], keys: [] };
    expect(verify(olderAtt, foreign)).toMatchObject({ ok: false });
  });

  test('does not count in a bundle, which has the envelope but not its text', () => {
    const parsed = parseCosign2Layer(olderAtt);
    expect(
      parsed.ok && verifyAttestation(parsed.value.bundle, trust, { subject: imageDigest }, now),
    ).toMatchObject({
      ok: false,
      reason: { code: 'log.unsupported' },
    });
  });
});

test('a keyless signature needs the root of its instance', () => {
  const other = newSigstore({ now: () => now });
  const trusted = { roots: [parseTrustedRoot(other.trustedRoot)], keys: [] };
  expect(verify(keylessSig, trusted)).toMatchObject({ ok: false });
});
