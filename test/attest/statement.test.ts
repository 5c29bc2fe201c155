import { describe, expect, test } from 'vitest';
import {
  formatStatement,
  parseStatement,
  predicateTypes,
  toSignatureStatement,
  toStatement,
} from '../../src/attest/statement.ts';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { hexOf } from '../../src/oci/digest.ts';
import { imageDigest, jsonBytes, type Loose } from '../support/key-bundle.ts';

const hex = hexOf(imageDigest);

function statement(change: (statement: Loose) => void = () => undefined): Uint8Array {
  const document = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: hex } }],
    predicateType: predicateTypes.signature,
    predicate: {},
  };
  change(document);
  return jsonBytes(document);
}

test('a signature is written as cosign writes it', () => {
  expect(new TextDecoder().decode(formatStatement(toSignatureStatement(imageDigest, { env: 'prod' })))).toBe(
    `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${hex}"},"annotations":{"env":"prod"}}],` +
      '"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}',
  );
});

test('an attestation names the repository and carries no empty annotations', () => {
  const parts = {
    subject: imageDigest,
    name: 'registry.example/app',
    predicateType: predicateTypes.cyclonedx,
  };
  const written = formatStatement(toStatement({ ...parts, predicate: { bomFormat: 'CycloneDX' } }));
  expect(JSON.parse(new TextDecoder().decode(written)).subject).toEqual([
    { name: 'registry.example/app', digest: { sha256: hex } },
  ]);
});

test('what was written is read back', () => {
  const written = toSignatureStatement(imageDigest, { env: 'prod' });
  expect(parseStatement(formatStatement(written))).toEqual({ ok: true, value: written });
});

test('a name that is empty is none', () => {
  const read = parseStatement(statement((s) => (s.subject[0].name = '')));
  expect(read.ok ? read.value.subjects : []).toEqual([
    { digests: [imageDigest], digestSet: new Map([['sha256', hex]]), annotations: {} },
  ]);
});

describe('is read', () => {
  test.for<[string, (statement: Loose) => void]>([
    ['version 0.1', (s) => (s._type = 'https://in-toto.io/Statement/v0.1')],
    ['a signature of cosign before 3.0.5, without a predicate', (s) => delete s.predicate],
    ['a subject with a digest of another algorithm beside', (s) => (s.subject[0].digest.gitCommit = 'abc')],
    ['1024 subjects', (s) => (s.subject = Array(1024).fill(s.subject[0]))],
  ])('%s', ([, change]) => {
    expect(parseStatement(statement(change))).toMatchObject({ ok: true });
  });
});

test('digests of other algorithms are not digests to us', () => {
  const read = parseStatement(statement((s) => (s.subject[0].digest = { sha1: 'ab' })));
  expect(read).toMatchObject({ ok: true, value: { subjects: [{ digests: [] }] } });
});

const two = (first: Loose, second: Loose) => (s: Loose) =>
  (s.subject = [{ digest: first }, { digest: second }]);
const long = 'ab'.repeat(64);

test.for<[string, (statement: Loose) => void]>([
  [
    'one artifact with two sha512',
    two({ sha256: hex, sha512: long }, { sha256: hex, sha512: '0'.repeat(128) }),
  ],
  [
    'one sha512 with two sha256',
    two({ sha256: hex, sha512: long }, { sha256: '0'.repeat(64), sha512: long }),
  ],
  [
    'two sha512 with a third subject between that has none',
    (s) => {
      const [first, ...others] = [{ sha512: long }, {}, { sha512: '0'.repeat(128) }];
      s.subject = [first, ...others].map((more) => ({ digest: { sha256: hex, ...more } }));
    },
  ],
  ['one artifact with two md5', two({ sha256: hex, md5: 'ab' }, { sha256: hex, md5: 'cd' })],
  ['one algorithm in two spellings', (s) => (s.subject[0].digest['SHA-256'] = '0'.repeat(64))],
  [
    'one of three words in two spellings',
    (s) => Object.assign(s.subject[0].digest, { sha3_256: 'a', 'SHA3-256': 'b' }),
  ],
])('%s contradicts itself', ([, change]) => {
  expect(parseStatement(statement(change))).toMatchObject({
    ok: false,
    reason: { code: 'statement.contradiction' },
  });
});

test.for<[string, (statement: Loose) => void]>([
  [
    'two artifacts of one commit',
    two({ sha256: hex, gitCommit: 'c' }, { sha256: '0'.repeat(64), gitCommit: 'c' }),
  ],
  ['two artifacts with one sha1', two({ sha256: hex, sha1: 'c' }, { sha256: '0'.repeat(64), sha1: 'c' })],
  ['two artifacts with one md5', two({ sha256: hex, md5: 'c' }, { sha256: '0'.repeat(64), md5: 'c' })],
  ['one artifact under two names', (s) => (s.subject = [s.subject[0], { ...s.subject[0], name: 'b' }])],
  ['one digest in two cases', (s) => (s.subject[0].digest['SHA-256'] = hex.toUpperCase())],
])('%s do not contradict each other', ([, change]) => {
  expect(parseStatement(statement(change))).toMatchObject({ ok: true });
});

describe('is refused', () => {
  test.for<[string, (statement: Loose) => void]>([
    ['another type', (s) => (s._type = 'https://in-toto.io/Statement/v2')],
    ['a type in another case', (s) => (s._type = 'https://in-toto.io/statement/v1')],
    ['no subject', (s) => (s.subject = [])],
    ['a missing subject', (s) => delete s.subject],
    ['a null subject', (s) => (s.subject = [null])],
    ['a null beside a good subject', (s) => s.subject.push(null)],
    ['1025 subjects', (s) => (s.subject = Array(1025).fill(s.subject[0]))],
    [
      '33 digests of one subject',
      (s) => {
        for (let count = 0; count < 32; count += 1) {
          s.subject[0].digest[`other${count}`] = 'ab';
        }
      },
    ],
    ['an empty digest map', (s) => (s.subject[0].digest = {})],
    ['an empty sha256', (s) => (s.subject[0].digest.sha256 = '')],
    ['a short sha256', (s) => (s.subject[0].digest.sha256 = hex.slice(2))],
    ['an upper-case sha256', (s) => (s.subject[0].digest.sha256 = hex.toUpperCase())],
    ['a sha256 with its name', (s) => (s.subject[0].digest.sha256 = imageDigest)],
    ['a sha512 of the length of sha256', (s) => (s.subject[0].digest.sha512 = hex)],
    ['a digest that is a number', (s) => (s.subject[0].digest.sha256 = 1)],
    ['annotations that are a list', (s) => (s.subject[0].annotations = [])],
    ['an empty predicate type', (s) => (s.predicateType = '')],
    ['a missing predicate type', (s) => delete s.predicateType],
    [
      'an SBOM without a predicate',
      (s) => {
        s.predicateType = predicateTypes.cyclonedx;
        delete s.predicate;
      },
    ],
    ['a predicate that is null', (s) => (s.predicate = null)],
    ['a predicate that is a text', (s) => (s.predicate = 'x')],
  ])('%s', ([, change]) => {
    expect(parseStatement(statement(change))).toMatchObject({
      ok: false,
      reason: { code: 'statement.malformed' },
    });
  });

  test.for<[string, string]>([
    [
      'a duplicate key',
      `{"_type":"https://in-toto.io/Statement/v1","_type":"https://in-toto.io/Statement/v1"}`,
    ],
    ['an empty payload', ''],
    ['a list', '[]'],
    ['a byte order mark', '\ufeff{}'],
  ])('%s', ([, text]) => {
    expect(parseStatement(encodeUtf8(text))).toMatchObject({
      ok: false,
      reason: { code: 'statement.malformed' },
    });
  });
});
