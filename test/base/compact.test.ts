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
