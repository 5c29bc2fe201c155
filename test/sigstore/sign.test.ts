import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { predicateTypes } from '../../src/attest/statement.ts';
import { parsePublicKey } from '../../src/attest/trusted-key.ts';
import { parseTrustedRoot, type Trust } from '../../src/attest/trusted-root.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import { verifyBlob } from '../../src/attest/verify-blob.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { attachBundle } from '../../src/sigstore/attach.ts';
import { discoverBundles } from '../../src/sigstore/discover.ts';
import { findEquivalent } from '../../src/sigstore/equivalent.ts';
import { keylessSigner } from '../../src/sigstore/fulcio.ts';
import { parseIdentityToken } from '../../src/sigstore/identity-token.ts';
import { signArtifact, signStatement } from '../../src/sigstore/sign.ts';
import { keySigner, type Signer } from '../../src/sigstore/signer.ts';
import { chooseServices, parseSigningConfig } from '../../src/sigstore/signing-config.ts';
import { toWitnesses } from '../../src/sigstore/witnesses.ts';
import { openShelf, testServices } from '../support/signing.ts';
import { type SigstoreServer, startSigstore, testIdentity } from '../support/sigstore.ts';

const now = () => new Date('2026-11-23T12:00:00Z');
const services = testServices();

const keys = {
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'P-384': generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  Ed25519: generateKeyPairSync('ed25519').privateKey,
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
};

function trustedKey(key: KeyObject) {
  return parsePublicKey(createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString(), 'test');
}

function keyless(sigstore: SigstoreServer, token = sigstore.token()): Signer {
  const fulcio = new URL(sigstore.urls.fulcio);
  return keylessSigner({ fulcio, token: parseIdentityToken(token), services, now });
}

function witnesses(sigstore: SigstoreServer, version: 1 | 2) {
  return toWitnesses(chooseServices(parseSigningConfig(sigstore.signingConfig(version)), now()), services);
}

test.for([
  ['keyless with Rekor v1, referrers API', true, 1],
  ['keyless with Rekor v1, fallback tag', false, 1],
  ['keyless with Rekor v2, referrers API', true, 2],
  ['keyless with Rekor v2, fallback tag', false, 2],
] as const)('%s: what is signed is found and proven', async ([, referrersApi, version]) => {
  await using shelf = await openShelf({ referrersApi });
  await using sigstore = await startSigstore({ now });
  const { registry, repository, image } = shelf;
  const bundle = await signStatement(shelf.statement, keyless(sigstore), witnesses(sigstore, version));
  await attachBundle(registry, repository, image, {
    bundle,
    predicateType: predicateTypes.signature,
    now: now(),
  });

  const [found, ...others] = await discoverBundles(registry, repository, image.digest);
  expect(others).toEqual([]);
  const parsed = parseBundle(found?.ok && 'bundle' in found ? found.bundle : Buffer.of());
  const trust: Trust = { roots: [parseTrustedRoot(sigstore.trustedRoot)], keys: [] };
  const proof = parsed.ok ? verifyAttestation(parsed.value, trust, { subject: image.digest }, now()) : parsed;
  expect(proof).toMatchObject({
    ok: true,
    value: {
      signer: { kind: 'keyless', ...testIdentity, claims: {} },
      statement: { predicateType: predicateTypes.signature },
      logs: [{ logIndex: '0' }],
    },
  });
  expect(proof.ok && proof.value.times.every((time) => Number(time) === Number(now()))).toBe(true);
});

test('claims of the token reach the verified signer', async () => {
  await using shelf = await openShelf();
  await using sigstore = await startSigstore({ now });
  const token = sigstore.token({
    email: undefined,
    sub: 'https://github.com/o/r/.github/workflows/ci.yml@refs/heads/main',
    extensions: { 12: 'https://github.com/o/r', 20: 'push' },
  });
  const bundle = await signStatement(shelf.statement, keyless(sigstore, token), witnesses(sigstore, 1));
  const parsed = parseBundle(bundle);
  const trust: Trust = { roots: [parseTrustedRoot(sigstore.trustedRoot)], keys: [] };
  expect(
    parsed.ok && verifyAttestation(parsed.value, trust, { subject: shelf.image.digest }, now()),
  ).toMatchObject({
    ok: true,
    value: {
      signer: {
        identity: 'https://github.com/o/r/.github/workflows/ci.yml@refs/heads/main',
        claims: { sourceRepositoryUri: 'https://github.com/o/r', buildTrigger: 'push' },
      },
    },
  });
});

test.for(Object.entries(keys))('a %s key signs with and without witnesses', async ([kind, key]) => {
  await using shelf = await openShelf();
  await using sigstore = await startSigstore({ now });
  const root = parseTrustedRoot(sigstore.trustedRoot);
  // A log of version 2 sees only a digest, which is not enough for Ed25519; the virtual one does not do RSA.
  const versions = kind.startsWith('P-') ? [undefined, 1, 2] : [undefined, 1];
  for (const version of versions as readonly (1 | 2 | undefined)[]) {
    const saw = version === undefined ? [] : witnesses(sigstore, version);
    const parsed = parseBundle(await signStatement(shelf.statement, keySigner(key), saw));
    const trust: Trust = {
      roots: [root],
      keys: [trustedKey(key)],
      keyThreshold: version === undefined ? { logs: 0, times: 0 } : { logs: 1, times: 1 },
    };
    const proof = parsed.ok
      ? verifyAttestation(parsed.value, trust, { subject: shelf.image.digest }, now())
      : parsed;
    expect(proof).toMatchObject({ ok: true, value: { signer: { kind: 'key', name: 'test' } } });
  }
});

const artifact = Buffer.from('#!/bin/sh\necho triton\n');

test.for([
  ['P-256', 'sha256', [undefined, 1, 2]],
  ['P-384', 'sha384', [undefined, 1, 2]],
  ['RSA', 'sha256', [undefined, 1]],
  ['Ed25519', 'sha256', [undefined]],
] as const)(
  'a %s key signs a file with %s, and the log has it as a hashedrekord',
  async ([kind, algorithm, versions]) => {
    await using sigstore = await startSigstore({ now });
    for (const version of versions) {
      const saw = version === undefined ? [] : witnesses(sigstore, version);
      const parsed = parseBundle(await signArtifact(artifact, keySigner(keys[kind]), saw));
      expect(parsed).toMatchObject({
        ok: true,
        value: { version: '0.3', content: { kind: 'message', algorithm } },
      });
      const entries = parsed.ok ? parsed.value.entries : [];
      expect(entries.map((entry) => `${entry.kind} ${entry.apiVersion}`)).toEqual(
        version === undefined ? [] : [`hashedrekord 0.0.${version}`],
      );
      const trust: Trust = {
        roots: [parseTrustedRoot(sigstore.trustedRoot)],
        keys: [trustedKey(keys[kind])],
        keyThreshold: version === undefined ? { logs: 0, times: 0 } : { logs: 1, times: 1 },
      };
      expect(parsed.ok && verifyBlob(parsed.value, trust, artifact, now())).toMatchObject({ ok: true });
      expect(parsed.ok && verifyBlob(parsed.value, trust, Buffer.from('other'), now())).toMatchObject({
        ok: false,
        reason: { code: 'message.digest' },
      });
    }
  },
);

test.for([1, 2] as const)('a file that is signed keyless is in a log of version %d', async (version) => {
  await using sigstore = await startSigstore({ now });
  const parsed = parseBundle(await signArtifact(artifact, keyless(sigstore), witnesses(sigstore, version)));
  const trust: Trust = { roots: [parseTrustedRoot(sigstore.trustedRoot)], keys: [] };
  for (const about of [artifact, digestOf(artifact)]) {
    expect(parsed.ok && verifyBlob(parsed.value, trust, about, now())).toMatchObject({
      ok: true,
      value: { signer: { kind: 'keyless', ...testIdentity }, logs: [{ logIndex: '0' }] },
    });
  }
});

test.for([1, 2] as const)('Ed25519 over a file is no entry for a log of version %d', async (version) => {
  await using sigstore = await startSigstore({ now });
  await expect(
    signArtifact(artifact, keySigner(keys.Ed25519), witnesses(sigstore, version)),
  ).rejects.toMatchObject({ code: 'key.unsupported', exit: 3 });
});

test('a file that was signed before with RSA has its entry already', async () => {
  await using sigstore = await startSigstore({ now });
  const sign = async () =>
    parseBundle(await signArtifact(artifact, keySigner(keys.RSA), witnesses(sigstore, 1)));
  const [first, second] = [await sign(), await sign()];
  expect(second.ok && second.value.entries[0]?.body).toEqual(first.ok && first.value.entries[0]?.body);
  expect(sigstore.requests.filter((line) => line.startsWith('GET /rekor/'))).toHaveLength(1);
});

test('nothing stands in the bundle of a file that cosign does not write', async () => {
  const bundle = JSON.parse(
    Buffer.from(await signArtifact(artifact, keySigner(keys['P-256']), [])).toString(),
  );
  expect(bundle).toEqual({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: expect.stringMatching(/^.{43}=$/) } },
    messageSignature: {
      messageDigest: {
        algorithm: 'SHA2_256',
        digest: createHash('sha256').update(artifact).digest('base64'),
      },
      signature: expect.any(String),
    },
  });
});

test('a log entry that exists already is read and used', async () => {
  await using shelf = await openShelf();
  await using sigstore = await startSigstore({ now });
  const signer = keySigner(keys.Ed25519);
  const first = parseBundle(await signStatement(shelf.statement, signer, witnesses(sigstore, 1)));
  const second = parseBundle(await signStatement(shelf.statement, signer, witnesses(sigstore, 1)));
  expect(second.ok && second.value.entries[0]?.body).toEqual(first.ok && first.value.entries[0]?.body);
  expect(sigstore.requests.filter((line) => line.startsWith('GET /rekor/'))).toHaveLength(1);
});

test('the manifest is the one that cosign 3 writes', async () => {
  await using shelf = await openShelf();
  const { registry, repository, image, server } = shelf;
  const bundle = await signStatement(shelf.statement, keySigner(keys['P-256']), []);
  const { digest } = await attachBundle(registry, repository, image, {
    bundle,
    predicateType: predicateTypes.signature,
    now: now(),
  });
  const manifest = JSON.parse(
    Buffer.from(server.manifests.get(`triton/dev@${digest}`)?.bytes ?? []).toString(),
  );
  expect(manifest).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.empty.v1+json',
      size: 2,
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    },
    layers: [
      {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        size: bundle.length,
        digest: expect.stringMatching(/^sha256:/),
      },
    ],
    annotations: {
      'dev.sigstore.bundle.content': 'dsse-envelope',
      'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1',
      'org.opencontainers.image.created': '2026-11-23T12:00:00Z',
    },
    subject: { mediaType: image.mediaType, size: image.size, digest: image.digest },
    artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  });
  expect(server.blobs.get(manifest.layers[0].digest)).toEqual(bundle);
});

test('nothing stands in the bundle that cosign does not write', async () => {
  await using shelf = await openShelf();
  const bundle = JSON.parse(
    Buffer.from(await signStatement(shelf.statement, keySigner(keys['P-256']), [])).toString(),
  );
  expect(bundle).toEqual({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: expect.stringMatching(/^.{43}=$/) } },
    dsseEnvelope: {
      payload: Buffer.from(shelf.statement).toString('base64'),
      payloadType: 'application/vnd.in-toto+json',
      // cosign 3.0.6 refuses one with a keyid.
      signatures: [{ sig: expect.any(String) }],
    },
  });
});

test('signing again is unnecessary exactly when the same signer has provably said the same', async () => {
  await using shelf = await openShelf();
  const { registry, repository, image, statement } = shelf;
  const trust: Trust = { roots: [], keys: [trustedKey(keys['P-256']), trustedKey(keys['P-384'])] };
  const mine = trustedKey(keys['P-256']).fingerprint;
  const look = async (wanted = statement) =>
    findEquivalent(await discoverBundles(registry, repository, image.digest), {
      statement: wanted,
      subject: image.digest,
      trust,
      isSigner: (signer) => signer.kind === 'key' && signer.fingerprint === mine,
      now: now(),
    });
  const attach = async (bundle: Uint8Array) =>
    attachBundle(registry, repository, image, {
      bundle,
      predicateType: predicateTypes.signature,
      now: now(),
    });

  expect(await look()).toBeUndefined();
  // Another signer, then a bundle that names my key over somebody else's signature, then junk.
  const others = await signStatement(statement, keySigner(keys['P-384']), []);
  const genuine = await signStatement(statement, keySigner(keys['P-256']), []);
  const forged = JSON.parse(Buffer.from(genuine).toString());
  forged.dsseEnvelope.signatures = JSON.parse(Buffer.from(others).toString()).dsseEnvelope.signatures;
  for (const bundle of [others, Buffer.from(JSON.stringify(forged)), Buffer.from('junk')]) {
    await attach(bundle);
  }
  expect(await look()).toBeUndefined();

  const { digest } = await attach(genuine);
  expect((await look())?.source).toBe(digest);
  const annotated = JSON.parse(Buffer.from(statement).toString());
  annotated.subject[0].annotations = { env: 'ci' };
  expect(await look(Buffer.from(JSON.stringify(annotated)))).toBeUndefined();
});
