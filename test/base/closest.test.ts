import { expect, test } from 'vitest';
import { closest } from '../../src/base/closest.ts';

const known = ['sbom', 'sign', 'sign-bundle', 'verify', 'verify-bundle', 'gate', 'up'];

test.for([
  ['veryfy', 'verify'],
  ['verify', 'verify'],
  ['evrify', 'verify'],
  ['verifyy', 'verify'],
  ['sing', 'sign'],
  ['gaet', 'gate'],
  ['sign-bundel', 'sign-bundle'],
] as const)('%s is %s', ([word, meant]) => {
  expect(closest(word, known)).toBe(meant);
});

test.for([['u'], [''], ['pu'], ['run'], ['verification'], ['constructor']])(
  '%j is none of them',
  ([word = '']) => {
    expect(closest(word, known)).toBeUndefined();
  },
);
