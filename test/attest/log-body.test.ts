import { describe, expect, test } from 'vitest';
import { envelopeContent, type SignedContent } from '../../src/attest/content.ts';
import { preAuthEncoding } from '../../src/attest/dsse.ts';
import { checkLogBody } from '../../src/attest/log-body.ts';
import type { LogEntry } from '../../src/attest/log-entry.ts';
import { answer, type Refusal } from '../../src/attest/refusal.ts';
import { payloadType } from '../../src/attest/statement.ts';
import { artifactContent } from '../../src/attest/verify-blob.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import { digestOf, hexOf } from '../../src/oci/digest.ts';
import { jsonBytes, type Loose, testKey } from '../support/key-bundle.ts';
import { changedAt, leaves } from '../support/tamper.ts';

/* The bodies of all logs, each right in itself, and then wrong in one place. */

const key = testKey();
const der = key.trusted.key.export({ format: 'der', type: 'spki' });
const signature = Buffer.from('a signature');
const payload = Buffer.from('a payload');
const signed = preAuthEncoding(payloadType, payload);
const envelope = envelopeContent({ payload, signature, keyid: '' });
const envelopeText = Buffer.from('the text of an envelope');
const written = envelopeContent({ payload, signature, keyid: '' }, envelopeText);
const artifact = Buffer.from('an artifact');
const digest = Buffer.from(hexOf(digestOf(artifact)), 'hex');
const message = artifactContent(
  { kind: 'message', algorithm: 'sha256', digest, signature },
  digestOf(artifact),
);

const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64');
const hex = (bytes: Uint8Array) => hexOf(digestOf(bytes));
const pem = base64(key.pem);
const verifier = { publicKey: { rawBytes: base64(der) }, keyDetails: 'PKIX_ECDSA_P256_SHA_256' };
const hash1 = (bytes: Uint8Array) => ({ algorithm: 'sha256', value: hex(bytes) });
const hash2 = (bytes: Uint8Array) => ({
  algorithm: 'SHA2_256',
  digest: Buffer.from(hex(bytes), 'hex').toString('base64'),
});
const body = (kind: string, apiVersion: string, spec: Loose): Loose => ({ apiVersion, kind, spec });

interface Sample {
  readonly body: () => Loose;
  readonly content: SignedContent;
}

const samples: Readonly<Record<string, Sample>> = {
  'hashedrekord 0.0.1': {
    content: message,
    body: () =>
      body('hashedrekord', '0.0.1', {
        data: { hash: hash1(artifact) },
        signature: { content: base64(signature), publicKey: { content: pem } },
      }),
  },
  'hashedrekord 0.0.2': {
    content: envelope,
    body: () =>
      body('hashedrekord', '0.0.2', {
        hashedRekordV002: { data: hash2(signed), signature: { content: base64(signature), verifier } },
      }),
  },
  'dsse 0.0.1': {
    content: envelope,
    body: () =>
      body('dsse', '0.0.1', {
        payloadHash: hash1(payload),
        signatures: [{ signature: base64(signature), verifier: pem }],
      }),
  },
  'dsse 0.0.2': {
    content: envelope,
    body: () =>
      body('dsse', '0.0.2', {
        dsseV002: { payloadHash: hash2(payload), signatures: [{ content: base64(signature), verifier }] },
      }),
  },
  'intoto 0.0.1': {
    content: written,
    body: () => body('intoto', '0.0.1', { content: { hash: hash1(envelopeText) }, publicKey: pem }),
  },
  'intoto 0.0.2': {
    content: envelope,
    body: () =>
      body('intoto', '0.0.2', {
        content: {
          payloadHash: hash1(payload),
          envelope: { signatures: [{ sig: base64(base64(signature)), publicKey: pem }] },
        },
      }),
  },
};

function check(json: Loose, content: SignedContent): Outcome<void, Refusal> {
  const entry: LogEntry = {
    kind: json.kind,
    apiVersion: json.apiVersion,
    logId: Buffer.alloc(32),
    logIndex: '0',
    integratedTime: '0',
    body: jsonBytes(json),
  };
  return answer('bundle.malformed', () => checkLogBody(entry, content, der));
}

const changes: readonly (readonly [string, (value: string) => unknown])[] = [
  ['gone', () => undefined],
  ['empty', () => ''],
  ['a number', () => 1],
  ['another text', () => 'another'],
  ['in upper case', (value) => (value === value.toUpperCase() ? value.toLowerCase() : value.toUpperCase())],
  ['half as long', (value) => value.slice(0, Math.floor(value.length / 2))],
  ['no base64', (value) => `*${value}`],
];

/** Which algorithm the key has is for the key to say. */
const unread = /keyDetails$/;

describe.for(Object.entries(samples))('%s', ([, sample]) => {
  test('is about this signature, by this signer, of this artifact', () => {
    expect(check(sample.body(), sample.content)).toMatchObject({ ok: true });
  });

  test('is refused where any field is wrong', () => {
    const json = sample.body();
    for (const path of leaves(json)) {
      if (unread.test(path.join('.'))) {
        continue;
      }
      for (const [what, change] of changes) {
        const changed = changedAt(json, path, change);
        if (JSON.stringify(changed) === JSON.stringify(json)) {
          continue;
        }
        const outcome = check(changed, sample.content);
        expect(outcome.ok, `${path.join('.')} is ${what}`).toBe(false);
      }
    }
  });
});

const broken = (name: string, change: (spec: Loose) => void): readonly [Loose, SignedContent] => {
  const sample = samples[name];
  if (sample === undefined) {
    throw new Error(`there is no sample ${name}`);
  }
  const json = sample.body();
  change(json.spec);
  return [json, sample.content];
};

test.for([
  ['intoto', '0.0.1', { ok: false, reason: { code: 'log.body' } }],
  // @sigstore/verify looks at these.
  ['intoto', '0.0.2', { ok: true }],
  ['dsse', '0.0.2', { ok: true }],
] as const)(
  'an entry of another kind than the announced %s %s is refused here, where nobody else looks',
  ([kind, apiVersion, expected]) => {
    const body = jsonBytes(samples['dsse 0.0.1']?.body());
    const entry = { kind, apiVersion, logId: Buffer.alloc(32), logIndex: '0', integratedTime: '0', body };
    expect(answer('bundle.malformed', () => checkLogBody(entry, envelope, der))).toMatchObject(expected);
  },
);

test.for<[string, string, readonly [Loose, SignedContent]]>([
  [
    'a certificate and a key at once',
    'bundle.malformed',
    broken('dsse 0.0.2', ({ dsseV002 }) => {
      dsseV002.signatures[0].verifier = { ...verifier, x509Certificate: verifier.publicKey };
    }),
  ],
  ['no signature', 'bundle.malformed', broken('dsse 0.0.1', (spec) => (spec.signatures = []))],
  [
    'two signatures',
    'bundle.malformed',
    broken('dsse 0.0.2', ({ dsseV002 }) => dsseV002.signatures.push(dsseV002.signatures[0])),
  ],
  [
    'a signature that is not base64 inside its base64',
    'bundle.malformed',
    broken('intoto 0.0.2', ({ content }) => (content.envelope.signatures[0].sig = base64('***'))),
  ],
  [
    'a key that is not PEM',
    'bundle.malformed',
    broken('dsse 0.0.1', (spec) => (spec.signatures[0].verifier = base64(der))),
  ],
  [
    'a key with more before its PEM',
    'bundle.malformed',
    broken('dsse 0.0.1', (spec) => (spec.signatures[0].verifier = base64(`x${key.pem}`))),
  ],
  [
    'a key with more behind its PEM',
    'bundle.malformed',
    broken('dsse 0.0.1', (spec) => (spec.signatures[0].verifier = base64(`${key.pem}x`))),
  ],
  [
    'a key whose PEM is not base64',
    'bundle.malformed',
    broken('dsse 0.0.1', (spec) => {
      spec.signatures[0].verifier = base64('-----BEGIN PUBLIC KEY-----\nA\n-----END PUBLIC KEY-----\n');
    }),
  ],
  [
    'a hash by the name of a member of every object',
    'bundle.malformed',
    broken('dsse 0.0.1', (spec) => (spec.payloadHash.algorithm = 'constructor')),
  ],
  [
    'a hash that a bare digest cannot answer',
    'log.digest',
    broken(
      'hashedrekord 0.0.1',
      (spec) => (spec.data.hash = { algorithm: 'sha512', value: 'ab'.repeat(64) }),
    ),
  ],
  [
    'a digest of the envelope, while its text is not here',
    'log.unsupported',
    [samples['intoto 0.0.1']?.body(), envelope],
  ],
  [
    'a digest of an envelope, while the bundle signs bytes',
    'log.unsupported',
    [samples['intoto 0.0.1']?.body(), message],
  ],
  [
    'an envelope, while the bundle signs bytes',
    'log.body',
    [
      body('dsse', '0.0.1', {
        payloadHash: hash1(artifact),
        signatures: [{ signature: base64(signature), verifier: pem }],
      }),
      message,
    ],
  ],
])('%s is refused', ([, code, [json, content]]) => {
  expect(check(json, content)).toMatchObject({ ok: false, reason: { code } });
});
