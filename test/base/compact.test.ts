import { expect, test } from 'vitest';
import { compact } from '../../src/base/compact.ts';

test('only what is undefined goes, and the order stays', () => {
  const record = compact({ z: 1, y: undefined, x: null, w: '', v: 0, u: false });
  expect(Object.entries(record)).toEqual([
    ['z', 1],
    ['x', null],
    ['w', ''],
    ['v', 0],
    ['u', false],
  ]);
});

test('a key that is a symbol stays, and one from the prototype is an ordinary key', () => {
  const close = async () => {};
  const record = compact({ [Symbol.asyncDispose]: close, constructor: 1, gone: undefined });
  expect(record[Symbol.asyncDispose]).toBe(close);
  expect(Object.keys(record)).toEqual(['constructor']);
});
