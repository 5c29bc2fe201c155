import { describe, expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import type { Refusal } from '../../src/attest/refusal.ts';
import { formatStatement, toSignatureStatement } from '../../src/attest/statement.ts';
import type { TimeWindow, TrustedKey } from '../../src/attest/trusted-key.ts';
import type { Trust } from '../../src/attest/trusted-root.ts';
import type { Verified } from '../../src/attest/verified.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import { verifyBlob } from '../../src/attest/verify-blob.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import {
  imageDigest,
  jsonBytes,
  keyBundle,
  type Loose,
  otherDigest,
  testKey,
} from '../support/key-bundle.ts';

const key = testKey();
const stranger = testKey();
const now = new Date('2026-06-01T00:00:00Z');

function trusting(...keys: readonly TrustedKey[]): Trust {
  return { roots: [], keys };
}

function verify(
  bytes: Uint8Array,
  trust: Trust = trusting(key.trusted),
  subject = imageDigest,
): Outcome<Verified, Refusal> {
  const bundle = parseBundle(bytes);
  return bundle.ok ? verifyAttestation(bundle.value, trust, { subject }, now) : bundle;
}

function changed(change: (bundle: Loose) => void): Uint8Array {
  const bundle = keyBundle(key);
  change(bundle);
  return jsonBytes(bundle);
}

test('a signature by a trusted key counts and says whose it is', () => {
  expect(verify(jsonBytes(keyBundle(key)))).toMatchObject({
    ok: true,
    value: {
      signer: { kind: 'key', name: 'team.pub', fingerprint: key.trusted.fingerprint },
      subjectIndex: 0,
      times: [],
      logs: [],
    },
  });
});

test.for(['P-256', 'P-384', 'Ed25519', 'RSA'] as const)('a %s key verifies', (kind) => {
  const own = testKey(kind);
  expect(verify(jsonBytes(keyBundle(own)), trusting(stranger.trusted, own.trusted))).toMatchObject({
    ok: true,
  });
});

test('a P-384 key signs with SHA-384, never with SHA-256', () => {
  const own = testKey('P-384');
  const outcome = verify(jsonBytes(keyBundle(own, { hash: 'sha256' })), trusting(own.trusted));
  expect(outcome).toMatchObject({ ok: false, reason: { code: 'signature.invalid' } });
});

test('the second of two subjects counts, and the answer says that it was the second (A-76)', () => {
  const first = toSignatureStatement(otherDigest).subjects;
  const statement = toSignatureStatement(imageDigest);
  const both = { ...statement, subjects: [...first, ...statement.subjects] };
  expect(verify(jsonBytes(keyBundle(key, { statement: both })))).toMatchObject({
    ok: true,
    value: { subjectIndex: 1 },
  });
});

describe('does not count', () => {
  const flip = (text: string): string => {
    const bytes = Buffer.from(text, 'base64');
    bytes[10] = (bytes[10] ?? 0) ^ 1;
    return bytes.toString('base64');
  };
  const signature = (b: Loose): Loose => b.dsseEnvelope.signatures[0];
  const material = (b: Loose): Loose => b.verificationMaterial;

  test.for<[string, string, (bundle: Loose) => void]>([
    [
      'a changed payload',
      'signature.invalid',
      (b) => (b.dsseEnvelope.payload = flip(b.dsseEnvelope.payload)),
    ],
    ['a changed signature', 'signature.invalid', (b) => (signature(b).sig = flip(signature(b).sig))],
    [
      'another payload under the signature',
      'signature.invalid',
      (b) => {
        const payload = formatStatement(toSignatureStatement(otherDigest));
        b.dsseEnvelope.payload = Buffer.from(payload).toString('base64');
      },
    ],
    [
      'a payload type of plain text',
      'envelope.payload-type',
      (b) => (b.dsseEnvelope.payloadType = 'text/plain'),
    ],
    ['a payload type with a parameter', 'envelope.payload-type', (b) => (b.dsseEnvelope.payloadType += ';x')],
    [
      'a payload type in upper case',
      'envelope.payload-type',
      (b) => (b.dsseEnvelope.payloadType = 'APPLICATION/vnd.in-toto+json'),
    ],
    ['no signature', 'envelope.signatures', (b) => (b.dsseEnvelope.signatures = [])],
    ['two signatures', 'envelope.signatures', (b) => b.dsseEnvelope.signatures.push(signature(b))],
    ['an empty signature', 'bundle.malformed', (b) => (signature(b).sig = '')],
    ['another keyid', 'key.keyid', (b) => (signature(b).keyid = 'other')],
    ['an unknown hint', 'key.unknown', (b) => (material(b).publicKey.hint = 'AAAA')],
    ['an empty hint', 'key.unknown', (b) => (material(b).publicKey.hint = '')],
    ['an unknown version', 'bundle.version', (b) => (b.mediaType += 'junk')],
    ['version 9.9', 'bundle.version', (b) => (b.mediaType = 'application/vnd.dev.sigstore.bundle.v9.9+json')],
    ['no version', 'bundle.malformed', (b) => delete b.mediaType],
    ['an unknown field', 'bundle.malformed', (b) => (b.more = 1)],
    ['an unknown field deep inside', 'bundle.malformed', (b) => (signature(b).more = 1)],
    ['two contents', 'bundle.content', (b) => (b.messageSignature = {})],
    ['no content', 'bundle.content', (b) => delete b.dsseEnvelope],
    ['no key and no certificate', 'bundle.content', (b) => delete material(b).publicKey],
    ['a key and a certificate', 'bundle.content', (b) => (material(b).certificate = { rawBytes: 'AAAA' })],
    [
      'an invalid certificate',
      'certificate.malformed',
      (b) => {
        delete material(b).publicKey;
        material(b).certificate = { rawBytes: 'AAAA' };
      },
    ],
    [
      'a chain in version 0.3',
      'bundle.malformed',
      (b) => {
        delete material(b).publicKey;
        material(b).x509CertificateChain = { certificates: [{ rawBytes: 'AAAA' }] };
      },
    ],
    [
      'a certificate in version 0.2',
      'bundle.malformed',
      (b) => {
        b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2';
        delete material(b).publicKey;
        material(b).certificate = { rawBytes: 'AAAA' };
      },
    ],
    ['a payload in base64 for URLs', 'bundle.malformed', (b) => (b.dsseEnvelope.payload = '_-8=')],
    ['a payload with a line break', 'bundle.malformed', (b) => (b.dsseEnvelope.payload += '\n')],
    ['material that is null', 'bundle.malformed', (b) => (b.verificationMaterial = null)],
    ['entries that are an object', 'bundle.malformed', (b) => (material(b).tlogEntries = {})],
    ['seventeen entries', 'bundle.malformed', (b) => (material(b).tlogEntries = Array(17).fill({}))],
  ])('%s', ([, code, change]) => {
    expect(verify(changed(change))).toMatchObject({ ok: false, reason: { code } });
  });

  test('a genuine statement about another image (A-5, A-73)', () => {
    const outcome = verify(jsonBytes(keyBundle(key)), trusting(key.trusted), otherDigest);
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'statement.subject' } });
  });

  test('something signed that is not a statement', () => {
    const outcome = verify(jsonBytes(keyBundle(key, { payload: jsonBytes({ any: 'thing' }) })));
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'statement.malformed' } });
  });

  test("a stranger's signature under the hint of a trusted key", () => {
    const bundle = keyBundle(stranger);
    const { hint } = keyBundle(key).verificationMaterial.publicKey;
    bundle.verificationMaterial.publicKey.hint = hint;
    bundle.dsseEnvelope.signatures[0].keyid = hint;
    expect(verify(jsonBytes(bundle))).toMatchObject({ ok: false, reason: { code: 'signature.invalid' } });
  });

  test('a key that nobody trusts', () => {
    const outcome = verify(jsonBytes(keyBundle(key)), trusting(stranger.trusted));
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'key.unknown' } });
  });

  test.for<[string, string]>([
    ['a duplicate key', '{"mediaType":"a","mediaType":"b"}'],
    ['NaN', '{"mediaType":NaN}'],
    ['text after the end', '{}{}'],
    ['deep nesting', '['.repeat(100_000)],
    ['a million digits', `{"mediaType":${'1'.repeat(1_000_000)}}`],
    ['nothing', ''],
    ['__proto__', '{"__proto__":{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}}'],
  ])('JSON with %s', ([, text]) => {
    const outcome = verify(new TextEncoder().encode(text));
    expect(outcome).toMatchObject({ ok: false, reason: { code: 'bundle.malformed' } });
  });
});

describe('a key with a validity (A-49)', () => {
  test.for<[string, TimeWindow, boolean]>([
    ['begins at this moment', { start: now }, true],
    ['ends at this moment', { end: now }, true],
    ['begins a millisecond later', { start: new Date(now.getTime() + 1) }, false],
    ['ended a millisecond ago', { end: new Date(now.getTime() - 1) }, false],
  ])('%s', ([, validFor, counts]) => {
    const outcome = verify(jsonBytes(keyBundle(key)), trusting({ ...key.trusted, validFor }));
    expect(outcome.ok).toBe(counts);
    if (!outcome.ok) {
      expect(outcome.reason.code).toBe('key.window');
    }
  });
});

test.for<[string, string, { logs: number; times: number }]>([
  ['a log', 'log.missing', { logs: 1, times: 0 }],
  ['a time', 'time.missing', { logs: 0, times: 1 }],
])(
  'a signature without log entry and timestamp does not count where the trust asks for %s',
  ([, code, keyThreshold]) => {
    const outcome = verify(jsonBytes(keyBundle(key)), { ...trusting(key.trusted), keyThreshold });
    expect(outcome).toMatchObject({ ok: false, reason: { code } });
  },
);

test('without log entry and timestamp, where the trust asks for neither, no root is read', () => {
  const trust: Trust = {
    keys: [key.trusted],
    get roots(): Trust['roots'] {
      throw new Error('a root was read');
    },
  };
  expect(verify(jsonBytes(keyBundle(key)), trust)).toMatchObject({
    ok: true,
    value: { times: [], logs: [] },
  });
});

test('a statement is not taken for the signature of a file', () => {
  const bundle = parseBundle(jsonBytes(keyBundle(key)));
  const outcome = bundle.ok ? verifyBlob(bundle.value, trusting(key.trusted), imageDigest, now) : bundle;
  expect(outcome).toMatchObject({ ok: false, reason: { code: 'bundle.content' } });
});
