import { sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import type { Proven } from '../../src/attest/proof.ts';
import type { Refusal } from '../../src/attest/refusal.ts';
import { predicateTypes, toStatement } from '../../src/attest/statement.ts';
import { hintOf } from '../../src/attest/trusted-key.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import type { Artifact } from '../../src/attest/verify-blob.ts';
import { verifyBundleAgainst } from '../../src/attest/verify-bundle.ts';
import { encodeBase64, encodeUtf8 } from '../../src/base/bytes.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { jsonBytes, keyBundle, type Loose, type TestKey, testKey } from '../support/key-bundle.ts';
import { dsseBody, logEntry, rootOf, testLog } from '../support/log.ts';
import { openRecording } from '../support/recordings.ts';

const artifact = encodeUtf8('an artifact');
const key = testKey();
const log = testLog();
const now = new Date('2026-06-01T00:00:00Z');

function verify(bundle: Loose, subject: Artifact, by: TestKey = key): Outcome<Proven, Refusal> {
  const expected = { pem: by.pem, name: 'key.pub' };
  const trustedRoot = jsonBytes(rootOf(log));
  return verifyBundleAgainst({ bundle: jsonBytes(bundle), trustedRoot, expected, artifact: subject }, now);
}

/** A file signed as `cosign sign-blob` does it, logged as hashedrekord. */
function blobBundle(by: TestKey, digested: Uint8Array = artifact): Loose {
  const curve = by.privateKey.asymmetricKeyDetails?.namedCurve;
  const hash =
    by.privateKey.asymmetricKeyType === 'ed25519' ? null : curve === 'secp384r1' ? 'sha384' : 'sha256';
  const content = sign(hash, artifact, by.privateKey).toString('base64');
  const digest = hexOf(digestOf(digested));
  const body = {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: digest } },
      signature: { content, publicKey: { content: Buffer.from(by.pem).toString('base64') } },
    },
  };
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      publicKey: { hint: hintOf(by.trusted.fingerprint) },
      tlogEntries: [logEntry(log, body)],
    },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: encodeBase64(Buffer.from(digest, 'hex')) },
      signature: content,
    },
  };
}

function statementBundle(algorithm: 'sha256' | 'sha512'): Loose {
  const subject = digestOf(artifact, algorithm);
  const bundle = keyBundle(key, {
    statement: toStatement({ subject, predicateType: predicateTypes.provenance, predicate: {} }),
  });
  bundle.verificationMaterial.tlogEntries = [logEntry(log, dsseBody(bundle, key.pem))];
  return bundle;
}

describe('a signed file', () => {
  test.for<[string, TestKey, Artifact, string | undefined]>([
    ['P-256, the file', key, artifact, undefined],
    ['P-256, its digest', key, digestOf(artifact), undefined],
    ['P-384, the file', testKey('P-384'), artifact, undefined],
    ['P-384, a sha256, while SHA-384 was signed', testKey('P-384'), digestOf(artifact), 'message.prehash'],
    ['Ed25519, the file', testKey('Ed25519'), artifact, undefined],
    [
      'Ed25519, its digest, which Ed25519 cannot check',
      testKey('Ed25519'),
      digestOf(artifact),
      'message.prehash',
    ],
    ['RSA, its digest, which is not computed here', testKey('RSA'), digestOf(artifact), 'message.prehash'],
    ['another file', key, encodeUtf8('other'), 'message.digest'],
    ['another digest', key, digestOf(encodeUtf8('other')), 'message.digest'],
    ['a digest of another algorithm', key, digestOf(artifact, 'sha512'), 'message.digest'],
  ])('%s', ([, by, subject, code]) => {
    const outcome = verify(blobBundle(by), subject, by);
    expect(outcome.ok ? undefined : outcome.reason.code).toBe(code);
  });

  test.for<[string, Artifact]>([
    ['the file', encodeUtf8('other')],
    ['the digest', digestOf(encodeUtf8('other'))],
  ])('a digest that was swapped with the file does not fit the signature, asked with %s', ([, subject]) => {
    const outcome = verify(blobBundle(key, encodeUtf8('other')), subject);
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'signature.invalid' } });
  });

  test('a key bundle does not answer the question for an identity', () => {
    const question = {
      bundle: jsonBytes(blobBundle(key)),
      trustedRoot: jsonBytes(rootOf(log)),
      expected: { identity: 'https://a.test', issuer: 'https://b.test' },
      artifact,
    };
    expect(verifyBundleAgainst(question, now)).toMatchObject({ ok: false, reason: { code: 'signer.kind' } });
  });
});

describe('a bundle by an identity', () => {
  const { content, expected, image, root = Buffer.of() } = openRecording('cosign-3.0.6-keyless');
  const { identity = '', issuer = '' } = expected.signer;

  test.for<[string, object, string | undefined]>([
    ['the one that is asked for', {}, undefined],
    ['another identity', { expected: { identity: 'bob@example.test', issuer } }, 'signer.identity'],
    [
      'the identity at another issuer (A-34)',
      { expected: { identity, issuer: `${issuer}/` } },
      'signer.issuer',
    ],
    ['a key', { expected: { pem: key.pem, name: 'key.pub' } }, 'signer.kind'],
    ['another artifact', { artifact }, 'statement.subject'],
    ['no bundle', { bundle: encodeUtf8('{}') }, 'bundle.malformed'],
  ])('%s', ([, change, code]) => {
    const question = {
      bundle: content,
      trustedRoot: root,
      expected: { identity, issuer },
      artifact: image,
      ...change,
    };
    const outcome = verifyBundleAgainst(question, now);
    expect(outcome.ok ? undefined : outcome.reason.code).toBe(code);
  });
});

test('a signed file is not a statement about an image', () => {
  const bundle = parseBundle(jsonBytes(blobBundle(key)));
  const trust = { roots: [], keys: [key.trusted] };
  const outcome = bundle.ok
    ? verifyAttestation(bundle.value, trust, { subject: digestOf(artifact) }, now)
    : bundle;
  expect(outcome).toMatchObject({ ok: false, reason: { code: 'bundle.content' } });
});

describe('a statement about a file', () => {
  test.for<[string, Loose, Artifact, string | undefined]>([
    ['the file', statementBundle('sha256'), artifact, undefined],
    ['its digest', statementBundle('sha256'), digestOf(artifact), undefined],
    ['the file, known by sha512 only', statementBundle('sha512'), artifact, undefined],
    [
      'its sha256, while the statement knows a sha512',
      statementBundle('sha512'),
      digestOf(artifact),
      'statement.subject',
    ],
    ['another file', statementBundle('sha256'), encodeUtf8('other'), 'statement.subject'],
  ])('%s', ([, bundle, subject, code]) => {
    const outcome = verify(bundle, subject);
    expect(outcome.ok ? undefined : outcome.reason.code).toBe(code);
  });
});
