import { expect, test } from 'vitest';
import { constantExpressions, judgeBareImages } from '../../src/policy/bare-image.ts';
import { compile } from '../../src/policy/cel.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { expressions } from '../../src/policy/rules/expressions.ts';
import { toEvidence } from '../support/evidence.ts';

const now = new Date('2026-11-23T12:00:00Z');

function read(require: Readonly<Record<string, unknown>>, match = 'quay.io/acme') {
  const policy = parsePolicy(
    JSON.stringify({
      version: 1,
      signers: { one: { issuer: 'https://accounts.google.com', identity: 'ada@acme.example' } },
      scopes: [{ match, require }],
    }),
    'policy.json',
    { compile },
  );
  const [scope] = policy.scopes;
  if (scope === undefined) {
    throw new Error('a policy has a scope');
  }
  return { policy, scope };
}
const asking = (...all: readonly string[]) => ({
  expressions: { by: ['one'], all: all.map((that) => ({ that, because: 'it is agreed' })) },
});
const signed = { signed: { by: ['one'] } };

test.for([
  ['a signature', signed, 'none-allowed'],
  ['a signature that only warns', { signed: { by: ['one'], mode: 'warn' } }, 'all-allowed'],
  ['what is always true', asking('true'), 'all-allowed'],
  ['what is always true, and a signature', { ...asking('true'), ...signed }, 'none-allowed'],
  ['a name', asking('image.repository == "acme/app"'), 'some-allowed'],
  ['any name but one', asking('image.repository != "acme/old"'), 'some-allowed'],
  [
    'any name but one, with slashes around it',
    asking('!("/acme/old/".contains(image.repository))'),
    'some-allowed',
  ],
  ['a time', asking('now < timestamp("2027-01-01T00:00:00Z")'), 'some-allowed'],
  ['a second', asking('now != timestamp("2031-05-05T05:05:05Z")'), 'some-allowed'],
  ['evidence', asking('attestations.all(a, true)'), 'none-allowed'],
  ['a text that is not a name', asking('image.repository != "No Name: *"'), 'all-allowed'],
] as const)('a scope that asks for %s', ([, require, verdict]) => {
  const { policy, scope } = read(require);
  expect(judgeBareImages(policy, scope, now)).toBe(verdict);
});

test('each constant expression is named, and no other', () => {
  const { policy, scope } = read(
    asking('true', 'signatures.size() > 0', 'image.registry == "quay.io"', 'image.repository == "acme/app"'),
  );
  expect(constantExpressions(policy, scope, now)).toEqual(['true', 'image.registry == "quay.io"']);
  expect(constantExpressions({ ...policy, expressions: new Map() }, scope, now)).toEqual([]);
  expect(constantExpressions(policy, read(signed).scope, now)).toEqual([]);
});

test('a scope of a whole registry is tried with names too', () => {
  const { policy, scope } = read(asking('image.repository != "secret"'), 'quay.io');
  expect(judgeBareImages(policy, scope, now)).toBe('some-allowed');
});

test('a policy that was read without an engine for CEL cannot tell', () => {
  const params = expressions.params.read(asking('true').expressions, []);
  const finding = expressions.evaluate(params, toEvidence({}), {
    signers: new Map(),
    multiArch: 'index',
    logs: { keyless: 1, key: 1 },
    require: {},
    expressions: new Map(),
  });
  expect(finding).toMatchObject({
    outcome: 'cannot-tell',
    message: expect.stringContaining('without an engine'),
  });
});
