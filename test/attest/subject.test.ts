import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseBundle } from '../../src/attest/bundle.ts';
import { verifyAttestation } from '../../src/attest/verify.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { imageDigest, jsonBytes, keyBundle, testKey } from '../support/key-bundle.ts';

/* A statement with a right digest of the image and a wrong one is about no image at all. */

const content = new TextEncoder().encode('image');
const key = testKey();
const hash = (name: string) => createHash(name).update(content).digest('hex');
const right = { sha256: hash('sha256') };

function codeOf(subjects: readonly object[], withContent: boolean, subject = imageDigest): string {
  const payload = jsonBytes({
    _type: 'https://in-toto.io/Statement/v1',
    subject: subjects.map((digest) => ({ digest })),
    predicateType: 'https://example.test/v1',
    predicate: {},
  });
  const bundle = parseBundle(jsonBytes(keyBundle(key, { payload })));
  const question = withContent ? { subject, content } : { subject };
  const outcome = bundle.ok
    ? verifyAttestation(bundle.value, { roots: [], keys: [key.trusted] }, question, new Date())
    : bundle;
  return outcome.ok ? 'ok' : outcome.reason.code;
}

/** The names of in-toto's digest_set.md whose hash can be computed here, and what Node.js calls them. */
const algorithms = [
  ['sha1', 'sha1'],
  ['sha224', 'sha224'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
  ['sha512_224', 'sha512-224'],
  ['sha512_256', 'sha512-256'],
  ['sha3_224', 'sha3-224'],
  ['sha3_256', 'sha3-256'],
  ['sha3_384', 'sha3-384'],
  ['sha3_512', 'sha3-512'],
  ['md5', 'md5'],
  ['blake2b', 'blake2b512'],
  ['blake2s', 'blake2s256'],
] as const;

test.for(algorithms)('a right %s is fine, a wrong one refused, in every spelling', ([name, node]) => {
  const wrong = hash(node).replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  expect(codeOf([{ ...right, [name]: hash(node) }], true)).toBe('ok');
  expect(codeOf([{ ...right, [name]: wrong }], true)).toBe('statement.contradiction');
  for (const spelling of [name.toUpperCase(), name.replace('_', '-'), name.replace('sha', 'SHA-')]) {
    expect(codeOf([{ ...right, [spelling]: wrong }], true)).not.toBe('ok');
  }
});

test.for<[string, readonly object[], string]>([
  ['half a hash', [{ ...right, sha384: hash('sha384').slice(2) }], 'statement.contradiction'],
  ['an empty one', [{ ...right, sha384: '' }], 'statement.contradiction'],
  ['capital letters', [{ ...right, sha384: hash('sha384').toUpperCase() }], 'ok'],
  ['what says nothing about the bytes', [{ ...right, gitCommit: 'ab', dirHash: 'h1:x' }], 'ok'],
  [
    'a second subject of the same image',
    [right, { ...right, sha512: '0'.repeat(128) }],
    'statement.contradiction',
  ],
  ['a second subject of another artifact', [right, { sha256: '0'.repeat(64), sha1: 'ab' }], 'ok'],
])('beside the right sha256: %s', ([, subjects, code]) => {
  expect(codeOf(subjects, true)).toBe(code);
});

test('asked by its sha512, a wrong sha256 is seen', () => {
  const subject = digestOf(content, 'sha512');
  expect(codeOf([{ sha512: hash('sha512') }], true, subject)).toBe('ok');
  expect(codeOf([{ sha512: hash('sha512'), sha256: '0'.repeat(64) }], true, subject)).toBe(
    'statement.contradiction',
  );
});

test('of an artifact that is known by its digest alone, nothing else is known', () => {
  expect(codeOf([{ ...right, sha512: '0'.repeat(128) }], false)).toBe('ok');
});
