import { expect, test } from 'vitest';
import { refusedBy } from '../../src/bom/attestation-size.ts';

const mebi = 1024 * 1024;

test.for([
  ['a usual one', 0.5 * mebi, []],
  ['what still fits in base64', 11.9 * mebi, []],
  ['what fits as it is, but not in base64', 13 * mebi, ['GitHub']],
  ['what nobody takes', 100 * mebi, ['GitHub', 'cosign']],
] as const)('%s', ([, bytes, readers]) => {
  expect(refusedBy(bytes).map(({ name }) => name)).toEqual(readers);
});
