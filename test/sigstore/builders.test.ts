import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { CreateEntryRequest } from '@sigstore/protobuf-specs/rekor/v2';
import { MessageSignatureBundleBuilder } from '@sigstore/sign';
import { DSSEBundleBuilder } from '@sigstore/sign/dist/bundler/dsse.js';
import { toCreateEntryRequest } from '@sigstore/sign/dist/witness/tlog/entry.js';
import { expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { formatStatement, payloadType, toSignatureStatement } from '../../src/attest/statement.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { keylessSigner } from '../../src/sigstore/fulcio.ts';
import { parseIdentityToken } from '../../src/sigstore/identity-token.ts';
import type { Services } from '../../src/sigstore/services.ts';
import { signArtifact, signStatement } from '../../src/sigstore/sign.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { toServices } from '../../src/sigstore/signing-config.ts';
import { toWitnesses } from '../../src/sigstore/witnesses.ts';
import { testServices } from '../support/signing.ts';
import { startSigstore } from '../support/sigstore.ts';

/**
 * docs/decisions/0006-own-signing.md: what @sigstore/sign does for us, and a test for each thing that it
 * cannot do.
 */

const now = () => new Date('2026-11-23T12:00:00Z');
const statement = formatStatement(toSignatureStatement(digestOf(Buffer.from('image'))));
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
const artifact = Buffer.from('a file');

test('the builder of @sigstore/sign takes the hint of a key for a keyid, and ours writes none', async () => {
  const builder = new DSSEBundleBuilder({ signer: keySigner(p256), witnesses: [] });
  const { content, verificationMaterial } = await builder.create({
    data: Buffer.from(statement),
    type: payloadType,
  });
  const [signature] = content.dsseEnvelope.signatures;
  const { content: key } = verificationMaterial;
  expect(key.$case === 'publicKey' && key.publicKey.hint).toBe(signature?.keyid);
  expect(signature?.keyid).not.toBe('');
  const ours = Buffer.from(await signStatement(statement, keySigner(p256), [])).toString();
  expect(ours).not.toContain('keyid');
});

test('its builder for files writes version 0.2 and SHA-256 for every key, and ours 0.3 and the hash of the key', async () => {
  const builder = new MessageSignatureBundleBuilder({ signer: keySigner(p384), witnesses: [] });
  const { content, mediaType } = await builder.create({ data: artifact });
  expect(mediaType).toBe('application/vnd.dev.sigstore.bundle+json;version=0.2');
  expect(content.messageSignature.messageDigest.algorithm).toBe(1);
  const ours = JSON.parse(Buffer.from(await signArtifact(artifact, keySigner(p384), [])).toString());
  expect(ours).toMatchObject({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    messageSignature: { messageDigest: { algorithm: 'SHA2_384' } },
  });
});

test('its index loads an HTTP client, and the builder alone does not', () => {
  const fresh = createRequire(import.meta.url);
  const loaded = (name: string) => {
    for (const path of Object.keys(fresh.cache)) {
      delete fresh.cache[path];
    }
    fresh(name);
    return Object.keys(fresh.cache).filter((path) => path.includes('/make-fetch-happen/'));
  };
  expect(loaded('@sigstore/sign').length).toBeGreaterThan(0);
  expect(loaded('@sigstore/sign/dist/bundler/dsse.js')).toEqual([]);
});

test('it has a signer for Fulcio and none for keys', async () => {
  const names = Object.keys(await import('@sigstore/sign'));
  expect(names.filter((name) => name.endsWith('Signer'))).toEqual(['FulcioSigner']);
});

test.for([
  ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 48],
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 32],
] as const)(
  'its request to Rekor v2 holds the whole statement, and takes a key of %s for a certificate with P-256; ours holds a digest and the key',
  async ([name, pair, length]) => {
    const spki = pair.publicKey.export({ type: 'spki', format: 'der' });
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const large = Buffer.from(
      JSON.stringify({
        ...JSON.parse(Buffer.from(statement).toString()),
        predicate: { text: 'x'.repeat(100_000) },
      }),
    );
    const { content } = await new DSSEBundleBuilder({
      signer: keySigner(pair.privateKey),
      witnesses: [],
    }).create({ data: large, type: payloadType });
    const theirs = JSON.stringify(CreateEntryRequest.toJSON(toCreateEntryRequest(content, pem)));
    expect(theirs.length).toBeGreaterThan(large.length);
    expect(JSON.parse(theirs)).toEqual({
      dsseRequestV002: {
        envelope: expect.anything(),
        verifiers: [
          { x509Certificate: { rawBytes: spki.toString('base64') }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' },
        ],
      },
    });

    const asked: string[] = [];
    const services: Services = async ({ body }) => {
      asked.push(Buffer.from(body ?? []).toString());
      throw new Error('seen');
    };
    const flags = { rekorUrl: 'https://log.example', rekorVersion: '2' } as const;
    const witnesses = toWitnesses(toServices(flags), services);
    await expect(signStatement(large, keySigner(pair.privateKey), witnesses)).rejects.toThrow('seen');
    expect(asked.map((text) => text.length < 2000)).toEqual([true]);
    const { hashedRekordRequestV002: ours } = JSON.parse(asked[0] ?? '{}');
    expect(ours.signature.verifier.publicKey.rawBytes).toBe(spki.toString('base64'));
    expect(ours.signature.verifier.keyDetails).toBe(`PKIX_ECDSA_${name.replace('-', '')}_SHA_${8 * length}`);
    expect(Buffer.from(ours.digest, 'base64')).toHaveLength(length);
  },
);

const orderOf = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(orderOf)
    : typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, member]) => [name, orderOf(member)])
      : typeof value;

test.for(['1', '2'] as const)(
  'with a log of version %s the members stand in the order of the fields, and none is empty',
  async (rekorVersion) => {
    await using sigstore = await startSigstore({ now });
    const services = testServices();
    const token = parseIdentityToken(sigstore.token());
    const signer = keylessSigner({ fulcio: new URL(sigstore.urls.fulcio), token, services, now });
    const { rekor, rekor2, tsa } = sigstore.urls;
    const flags = { rekorUrl: rekorVersion === '1' ? rekor : rekor2, rekorVersion, tsaUrl: tsa };
    // The first entry of a log has the index 0, which the form of Protocol Buffers leaves out.
    await signStatement(statement, signer, toWitnesses(toServices(flags), services));
    const bytes = await signStatement(statement, signer, toWitnesses(toServices(flags), services));
    expect(parseBundle(bytes)).toMatchObject({ ok: true });
    const text = 'string';
    const optional = (names: readonly string[]) =>
      rekorVersion === '1'
        ? names.map((name) => [name, name === 'integratedTime' ? text : [['signedEntryTimestamp', text]]])
        : [];
    const json = JSON.parse(Buffer.from(bytes).toString());
    const hashes = json.verificationMaterial.tlogEntries[0].inclusionProof.hashes;
    expect(orderOf(json)).toEqual([
      ['mediaType', text],
      [
        'verificationMaterial',
        [
          ['certificate', [['rawBytes', text]]],
          [
            'tlogEntries',
            [
              [
                ['logIndex', text],
                ['logId', [['keyId', text]]],
                [
                  'kindVersion',
                  [
                    ['kind', text],
                    ['version', text],
                  ],
                ],
                ...optional(['integratedTime', 'inclusionPromise']),
                [
                  'inclusionProof',
                  [
                    ['logIndex', text],
                    ['rootHash', text],
                    ['treeSize', text],
                    ...(hashes === undefined ? [] : [['hashes', hashes.map(() => text)]]),
                    ['checkpoint', [['envelope', text]]],
                  ],
                ],
                ['canonicalizedBody', text],
              ],
            ],
          ],
          ['timestampVerificationData', [['rfc3161Timestamps', [[['signedTimestamp', text]]]]]],
        ],
      ],
      [
        'dsseEnvelope',
        [
          ['payload', text],
          ['payloadType', text],
          ['signatures', [[['sig', text]]]],
        ],
      ],
    ]);
  },
);
