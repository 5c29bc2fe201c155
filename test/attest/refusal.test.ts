import { expect, test } from 'vitest';
import { answer, guarded, refused } from '../../src/attest/refusal.ts';
import { cannotTell } from '../../src/base/error.ts';

const refusal = () => ({ code: 'theirs', message: 'it cannot be read' });
const raise = (error: unknown) => () => {
  throw error;
};

test.for([
  ['a refusal', refused('log.body', 'no'), { code: 'log.body', message: 'no' }],
  ['what a reader of base refuses', cannotTell('json.malformed', 'no'), { code: 'malformed', message: 'no' }],
] as const)('%s is an answer', ([, thrown, reason]) => {
  expect(answer('malformed', raise(thrown))).toEqual({ ok: false, reason });
});

test('an error of our own is none', () => {
  expect(() => answer('malformed', raise(new RangeError('ours')))).toThrow(RangeError);
});

test.for([
  ['anything that foreign code throws', new SyntaxError('no'), refusal()],
  ['but not a refusal', refused('log.body', 'no'), { code: 'log.body', message: 'no' }],
] as const)('%s becomes the refusal of the caller', ([, thrown, reason]) => {
  expect(answer('malformed', () => guarded(refusal, raise(thrown)))).toEqual({ ok: false, reason });
});
