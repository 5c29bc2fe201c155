import { expect, test } from 'vitest';
import { bytesOf, collect, encodeUtf8 } from '../../src/base/bytes.ts';
import { Shape } from '../../src/base/shape.ts';
import {
  algorithmOf,
  checkContent,
  checked,
  digestOf,
  hexOf,
  isDigest,
  parseDigest,
  readDigest,
} from '../../src/oci/digest.ts';

const bytes = encodeUtf8('abc');
const abc = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

test('the digest of "abc" is the one of FIPS 180', () => {
  expect(digestOf(bytes)).toBe(abc);
  expect(hexOf(digestOf(bytes, 'sha512'))).toMatch(/^ddaf35a193617aba/);
  expect(algorithmOf(digestOf(bytes, 'sha512'))).toBe('sha512');
});

test.for([
  ['sha1', `sha1:${'a'.repeat(40)}`],
  ['md5', `md5:${'a'.repeat(32)}`],
  ['no algorithm', 'a'.repeat(64)],
  ['an algorithm in capitals', `SHA256:${'a'.repeat(64)}`],
  ['hex in capitals', `sha256:${'A'.repeat(64)}`],
  ['short hex', `sha256:${'a'.repeat(63)}`],
  ['long hex', `sha256:${'a'.repeat(65)}`],
  ['sha512 with the length of sha256', `sha512:${'a'.repeat(64)}`],
  ['a path', 'sha256:../../etc/passwd'],
  ['a new line', `${abc}\n`],
  ['a space', ` ${abc}`],
  ['nothing', ''],
] as const)('A-25: %s is not a digest, whoever wrote it', ([, text]) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'digest.malformed', exit: 3 }));
  expect(() => readDigest(new Shape(text, 'doc.digest'))).toThrow(
    expect.objectContaining({ code: 'digest.malformed', exit: 2 }),
  );
});

test.for([
  ['other bytes', 'abd', 3, 'content.digest'],
  ['too few', 'ab', 3, 'content.size'],
  ['too many', 'abcd', 3, 'content.size'],
  ['too many, size unknown', 'abcd', undefined, 'content.digest'],
] as const)('a stream of %s fails at its end', async ([, text, size, code]) => {
  const stream = checked(bytesOf(encodeUtf8(text)), digestOf(bytes), size, 'the blob');
  await expect(collect(stream, 100, 'x')).rejects.toMatchObject({ code, exit: 2 });
});

test('the right stream passes', async () => {
  const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
  expect(await collect(checked(bytesOf(...pieces), digestOf(bytes), 3, 'x'), 3, 'x')).toEqual(bytes);
});

test('A-3: content in memory is checked as well', () => {
  checkContent(bytes, digestOf(bytes), 'x');
  expect(() => checkContent(encodeUtf8('abd'), digestOf(bytes), 'the manifest')).toThrow(
    /the manifest is sha256:/,
  );
});
