import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, collect, concat, decodeBase64, decodeUtf8, encodeBase64 } from '../../src/base/bytes.ts';
import { formatBytes } from '../../src/base/size.ts';
import { byCodeUnit, formatJson, plural, printable, quoted } from '../../src/base/text.ts';

test('JSON says the same, and nothing in it is obeyed by a terminal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = formatJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(printable(text.slice(0, -1), text.length)).toBe(text.slice(0, -1));
    }),
  );
  expect(formatJson({ '\u202e': '\u009b2J\u007f' })).toBe('{"\\u202e":"\\u009b2J\\u007f"}\n');
});

test.for([
  ['plain text', 'triton 3.4', 'triton 3.4'],
  ['letters of the world', 'Grüße 世界 😀', 'Grüße 世界 😀'],
  ['a colour', '\u001b[31mred', '\\x1b[31mred'],
  ['a carriage return', 'good\rbad', 'good\\x0dbad'],
  ['a new line', 'a\ntcf: ok', 'a\\x0atcf: ok'],
  ['a backspace', 'a\b', 'a\\x08'],
  ['DEL', '\u007f', '\\x7f'],
  ['the one-byte escape of C1', '\u009b2J', '\\x9b2J'],
  ['text that runs backwards', 'a\u202egnp.exe', 'a\\u202egnp.exe'],
  ['an isolate', '\u2066x\u2069', '\\u2066x\\u2069'],
  ['an Arabic mark', '\u061c', '\\u061c'],
  ['a zero-width space', 'a\u200bb', 'a\\u200bb'],
  ['a byte order mark', '\ufeff', '\\ufeff'],
  ['a line separator', '\u2028', '\\u2028'],
  ['half a character', 'a\ud800b', 'a\\ud800b'],
])('on a terminal %s is safe', ([, text = '', expected]) => {
  expect(printable(text)).toBe(expected);
});

test('a long text is cut', () => {
  expect(printable('x'.repeat(500))).toBe(`${'x'.repeat(400)}…`);
  expect(quoted('x'.repeat(500))).toHaveLength(203);
});

test('no control character is ever printed (A-121)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
});

test.for([
  ['no padding', 'YQ'],
  ['too much padding', 'YQ==='],
  ['the URL alphabet', '-_-_'],
  ['a space', 'YQ ='],
  ['a new line', 'YWFh\n'],
  ['bits that are not zero', 'YR=='],
  ['a stranger', 'YW*h'],
])('base64 with %s is refused', ([, text = '']) => {
  expect(decodeBase64(text)).toBeUndefined();
});

test('base64 is read back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    }),
  );
});

test('bytes that are not UTF-8 are no text', () => {
  expect(decodeUtf8(Uint8Array.of(0xff))).toBeUndefined();
  expect(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80))).toBeUndefined();
  expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
});

test('a stream is collected up to its limit and no further', async () => {
  let pulled = 0;
  async function* endless() {
    for (;;) {
      pulled += 1;
      yield new Uint8Array(10);
    }
  }
  await expect(collect(endless(), 100, 'the stream')).rejects.toMatchObject({
    code: 'bytes.too-large',
    exit: 2,
  });
  expect(pulled).toBe(11);
  expect(await collect(bytesOf(Uint8Array.of(1), Uint8Array.of(2, 3)), 3, 'x')).toEqual(
    Uint8Array.of(1, 2, 3),
  );
  expect(concat([])).toEqual(new Uint8Array());
});

test.for([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [4 * 1024 * 1024, '4 MiB'],
  [2 ** 50, '1024 TiB'],
] as const)('%s bytes are %s', ([size, expected]) => {
  expect(formatBytes(size)).toBe(expected);
});

test('order does not depend on a language', () => {
  expect(['ä', 'b', 'B', 'a', 'a'].sort(byCodeUnit)).toEqual(['B', 'a', 'a', 'b', 'ä']);
  expect([plural(1, 'entry', 'entries'), plural(0, 'entry', 'entries'), plural(2, 'layer')]).toEqual([
    '1 entry',
    '0 entries',
    '2 layers',
  ]);
});
