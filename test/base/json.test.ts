import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { TcfError } from '../../src/base/error.ts';
import { isObject, jsonLimits, parseJson, wholeNumber, wholeText } from '../../src/base/json.ts';
import { Shape } from '../../src/base/shape.ts';

const limits = { maxBytes: 1000, maxDepth: 4 };
const read = (text: string | Uint8Array) => parseJson(text, 'the text', limits);

function codeOf(run: () => unknown): string {
  try {
    return `no error: ${JSON.stringify(run())}`;
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    return `${error.exit} ${error.code}`;
  }
}

test.for<readonly [string, string | Uint8Array]>([
  ['nothing', ''],
  ['white space', ' \n'],
  ['a duplicate key', '{"a":1,"a":2}'],
  ['a duplicate key, once escaped', '{"a":1,"\\u0061":2}'],
  ['a duplicate deep inside', '[{"x":{"a":1,"a":1}}]'],
  ['a duplicate __proto__', '{"__proto__":1,"__proto__":2}'],
  ['a byte order mark', '\ufeff{}'],
  ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ['an overlong NUL', Uint8Array.of(0x22, 0xc0, 0x80, 0x22)],
  ['half a character', '"\ud800"'],
  ['half a character, escaped', '"\\ud800"'],
  ['the wrong half first', '"\\udc00\\ud800"'],
  ['a key with half a character', '{"\\udc00":1}'],
  ['a trailing comma', '[1,]'],
  ['a trailing comma in an object', '{"a":1,}'],
  ['a leading comma', '[,1]'],
  ['a comment', '[1] // one'],
  ['two documents', '{}{}'],
  ['single quotes', "{'a':1}"],
  ['a bare key', '{a:1}'],
  ['NaN', 'NaN'],
  ['Infinity', '-Infinity'],
  ['a number beyond doubles', '1e400'],
  ['a number of many digits', '1'.repeat(100)],
  ['a leading zero', '01'],
  ['a plus', '+1'],
  ['a bare point', '.5'],
  ['hex', '0x10'],
  ['a raw newline in a string', '"a\nb"'],
  ['a raw NUL in a string', '"\u0000"'],
  ['an unknown escape', '"\\x41"'],
  ['an open string', '"a'],
  ['an open array', '[1'],
  ['a missing colon', '{"a" 1}'],
  ['a no-break space', '\u00a01'],
  ['TRUE', 'TRUE'],
  ['nesting beyond the limit', '[[[[[1]]]]]'],
])('JSON is not %s', ([, text]) => {
  expect(codeOf(() => read(text))).toBe('2 json.malformed');
});

test('a text beyond the limit is not looked at', () => {
  expect(codeOf(() => read(' '.repeat(1001)))).toBe('2 json.too-large');
  expect(codeOf(() => read('\u20ac'.repeat(400)))).toBe('2 json.too-large');
});

test.for([
  ['nesting up to the limit', '[[[[1]]]]'],
  ['an escaped pair', '"\\ud83d\\ude00"'],
  ['a pair', '"\ud83d\ude00"'],
  ['numbers', '[-0, 0.5, 1e3, 1E-2, 9007199254740991, -9007199254740991, 5.0, 1.5e1, 120e-1]'],
  ['white space', ' \t\r\n{ "a" : [ ] } '],
  ['the same key in two objects', '[{"a":1},{"a":2}]'],
])('%s reads as JSON.parse reads it', ([, text = '']) => {
  expect(JSON.stringify(read(text))).toBe(JSON.stringify(JSON.parse(text)));
});

test.for([
  ['9007199254740992', 9007199254740992n],
  ['9007199254740993', 9007199254740993n],
  ['-9007199254740993', -9007199254740993n],
  ['18446744073709551615', 18446744073709551615n],
  ['9007199254740993.0', 9007199254740993n],
  ['9007199254740993e0', 9007199254740993n],
  ['9.007199254740993E+15', 9007199254740993n],
  ['90071992547409930e-1', 9007199254740993n],
  ['1e20', 100000000000000000000n],
] as const)('%s is never rounded', ([text, exact]) => {
  const value = read(`{"a": [${text}]}`) as { a: [unknown] };
  expect(JSON.stringify(value)).toBe(`{"a":[${text}]}`);
  expect([wholeText(value.a[0]), wholeNumber(value.a[0])]).toEqual([text, exact]);
  expect(isObject(value.a[0])).toBe(false);
  const shape = new Shape(value.a[0], 'doc');
  expect(() => shape.whole()).toThrow(`doc is ${text}, and not a number from 0 to 2^53 - 1`);
  expect(() => shape.record()).toThrow('doc is not an object');
  expect(() => shape.string()).toThrow('doc is not a string');
});

test('what is no such number has no such text', () => {
  for (const value of [1, '9007199254740993', null, undefined, { rawJSON: '9007199254740993' }, [1]]) {
    expect([wholeText(value), wholeNumber(value)]).toEqual([undefined, undefined]);
  }
  expect(isObject(read('{"rawJSON": "9007199254740993"}'))).toBe(true);
});

test.for([
  '5.00000000000000000001',
  '4.99999999999999999999',
  '0.99999999999999999999',
  '9007199254740991.4',
  '50000000000000000001e-19',
])('the fraction of %s is not dropped in silence', (text) => {
  expect(() => read(`[${text}]`)).toThrow(/a fraction too small for a double at character 1/);
});

test('__proto__ and constructor are keys like any other', () => {
  const value = read('{"__proto__":{"admin":true},"constructor":1}') as Record<string, unknown>;
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
  expect(value['admin']).toBeUndefined();
  expect(new Shape(read('{}'), 'x').get('constructor').missing).toBe(true);
});

/**
 * Any other error than a TcfError would end a verification that only has to pass over one bad bundle.
 */
test.for<readonly [string, string, number]>([
  ['escapes', `"${'\\n'.repeat(15_000_000)}"`, 15_000_000],
  ['characters after an escape', `"\\n${'a'.repeat(30_000_000)}"`, 30_000_001],
])('a bundle may hold a string of millions of %s', ([, text, length]) => {
  expect((parseJson(text, 'x', jsonLimits.bundle) as string).length).toBe(length);
  const open = text.slice(0, -1);
  expect(() => parseJson(open, 'x', jsonLimits.bundle)).toThrow(/is not closed/);
});

test('whatever JSON.stringify writes is read back', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(text.length < 900 && !/\d{40}/.test(text));
      expect(JSON.stringify(parseJson(encodeUtf8(text), 'x'))).toBe(text);
    }),
  );
});

test.for<readonly [string, unknown, (shape: Shape) => unknown, string]>([
  ['a fraction', { a: 1.5 }, (shape) => shape.get('a').whole(), 'doc.a is not a whole number'],
  ['a negative', { a: -1 }, (shape) => shape.get('a').whole(), 'doc.a is not a whole number'],
  ['beyond 2^53', { a: 2 ** 53 }, (shape) => shape.get('a').whole(), 'doc.a is not a whole number'],
  ['a number as text', { a: '1' }, (shape) => shape.get('a').whole(), 'doc.a is not a whole number'],
  ['nothing', {}, (shape) => shape.get('a').string(), 'doc.a is missing'],
  ['null', { a: null }, (shape) => shape.get('a').string(), 'doc.a is not a string'],
  ['a long text', { a: 'xxx' }, (shape) => shape.get('a').string(2), 'doc.a is longer than 2 characters'],
  [
    'a long list',
    { a: [1, 2, 3] },
    (shape) => shape.get('a').list(2),
    'doc.a has 3 entries, more than the limit of 2',
  ],
  ['an object as list', { a: {} }, (shape) => shape.get('a').list(2), 'doc.a is not a list'],
  ['a list as object', { a: [] }, (shape) => shape.get('a').record(), 'doc.a is not an object'],
  [
    'something inside',
    { a: [{ b: 0 }] },
    (shape) => shape.get('a').list(1)[0]?.get('b').boolean(),
    'doc.a[0].b is not true or false',
  ],
  [
    'annotations that are not text',
    { a: { b: 1 } },
    (shape) => shape.get('a').strings(),
    'doc.a.b is not a string',
  ],
])('a refusal of %s names the place', ([, value, reader, message]) => {
  expect(() => reader(new Shape(value, 'doc'))).toThrow(message);
});
