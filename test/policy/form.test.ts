import { expect, test } from 'vitest';
import {
  choice,
  either,
  json,
  list,
  mapping,
  optional,
  readForm,
  table,
  text,
  textThat,
  whole,
} from '../../src/policy/form.ts';

const pair = mapping({ name: text, count: optional(whole(1, 3)) });
const named = either(mapping({ key: text }), mapping({ issuer: text, identity: text }));

test.for([
  ['a list for a mapping', pair, ['name'], [], 'is not a mapping'],
  ['nothing for a mapping', pair, null, [], 'is not a mapping'],
  ['a key too few', pair, { count: 1 }, ['name'], 'is missing'],
  ['an inherited key', mapping({ toString: text }), {}, ['toString'], 'is missing'],
  ['a key too many', pair, { name: 'x', nmae: 'x' }, [], 'does not know the key "nmae"'],
  ['a key too many that objects inherit', pair, { name: 'x', constructor: 'x' }, [], 'the key "constructor"'],
  ['a prototype', pair, JSON.parse('{ "name": "x", "__proto__": {} }'), [], 'the key "__proto__"'],
  ['text for a number', pair, { name: 'x', count: '1' }, ['count'], 'is not a whole number'],
  ['a half', pair, { name: 'x', count: 1.5 }, ['count'], 'is not a whole number'],
  ['a number too small', pair, { name: 'x', count: 0 }, ['count'], 'is too small'],
  ['a number too big', pair, { name: 'x', count: 4 }, ['count'], 'is too big'],
  ['an empty list', list(text), [], [], 'is empty'],
  ['a list too long', list(text, 1), ['a', 'b'], [], 'is too big'],
  ['a mapping for a list', list(text), { length: 1, 0: 'a' }, [], 'is not a list'],
  ['a wrong item', list(text), ['a', ''], [1], 'is empty'],
  ['a wrong choice', choice('a', 'b'), 'c', [], 'is not a or b'],
  ['a wrong kind of choice', choice(1), '1', [], 'is not 1'],
  ['a wrong key of a table', table(choice('a'), text), { b: 'x' }, ['b'], 'is not a'],
  ['a wrong value of a table', table(text, text), { b: 1 }, ['b'], 'is not a string'],
  ['the form that is closest, by its keys', named, { key: 1 }, ['key'], 'is not a string'],
  ['the other form', named, { issuer: 'x' }, ['identity'], 'is missing'],
  ['a number that JSON has not', json, { a: [Number.NaN] }, [], 'is not a JSON value'],
] as const)('%s is refused, with its place', ([, form, value, path, why]) => {
  const read = readForm<unknown>(form, value);
  expect(read).toMatchObject({ ok: false, reason: { path } });
  expect(read.ok ? '' : read.reason.message).toContain(why);
});

test.for([null, true, false, 0, 1.5, '', [], {}, [{ a: [null, true] }]])('%j is JSON', (value) => {
  expect(readForm(json, value)).toEqual({ ok: true, value });
});

test('a fault in a form is no misfit', () => {
  const broken = textThat(() => {
    throw new RangeError('broken');
  }, 'is wrong');
  expect(() => readForm(broken, 'text')).toThrow(RangeError);
});

test('where a key is not known, those that are stand in the hint', () => {
  const read = readForm(pair, { name: 'x', cuont: 1 });
  expect(read).toMatchObject({ reason: { more: { key: 'cuont', hint: 'known here are name, count' } } });
});

test('names that objects inherit are keys of a table like any other', () => {
  const value = JSON.parse('{ "constructor": "a", "__proto__": "b" }') as unknown;
  const read = readForm(table(text, text), value);
  expect(read.ok && Object.entries(read.value)).toEqual([
    ['constructor', 'a'],
    ['__proto__', 'b'],
  ]);
});
