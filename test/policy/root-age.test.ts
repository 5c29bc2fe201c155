import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { parseImageRef, pin } from '../../src/oci/reference.ts';
import type { DatedRoot } from '../../src/policy/dated-root.ts';
import { decide } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import type { Evidence } from '../../src/policy/evidence.ts';
import { ageInDays, usesRoots } from '../../src/policy/root-age.ts';

const now = new Date('2026-11-23T12:00:00Z');
const daysAgo = (days: number) => new Date(Number(now) - days * 24 * 3_600_000);
const root = (days: number): DatedRoot => ({
  source: 'sigstore',
  digest: digestOf(Buffer.from('root')),
  origin: 'tcf trust update',
  asOf: daysAgo(days),
  newest: daysAgo(1000),
});
const { asOf: _, ...file } = root(0);

const evidence: Evidence = {
  image: pin(parseImageRef('registry.example/dev'), digestOf(Buffer.from('image'))),
  now,
  candidates: [],
};

const keyless = '{ issuer: "https://issuer.test", identity: ann }';
const policyWith = (trust: string, signer = keyless) =>
  parsePolicy(
    `version: 1\n${trust}\nsigners: { ann: ${signer} }\nscopes: [{ match: registry.example, require: { signed: { by: [ann] } } }]\n`,
    'policy.yaml',
  );

const pem = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString();

test.for([
  ['an identity', '', keyless, true],
  ['an identity, where keys need no log', 'trust: { logs: { key: 0 } }', keyless, true],
  ['a key', '', JSON.stringify({ key: pem }), true],
  ['a key that needs no log', 'trust: { logs: { key: 0 } }', JSON.stringify({ key: pem }), false],
] as const)('a policy that trusts %s uses roots: %j', ([, trust, signer, uses]) => {
  expect(usesRoots(policyWith(trust, signer))).toBe(uses);
});

const cases: readonly (readonly [string, string, DatedRoot, string, string])[] = [
  [
    'a fresh root',
    '',
    root(3),
    'enforce pass',
    'the trusted root of sigstore is 3 days old (tcf trust update, 2026-11-20)',
  ],
  ['half a year', '', root(180), 'enforce pass', '180 days old'],
  ['more than half a year', '', root(181), 'warn fail', '181 days old'],
  ['a year', '', root(365), 'warn fail', '365 days old'],
  ['more than a year', '', root(366), 'enforce cannot-tell', '366 days old'],
  ['a shorter warning', 'trust: { maxAge: { warn: 7d } }', root(8), 'warn fail', '8 days old'],
  ['a shorter limit', 'trust: { maxAge: { deny: 2w } }', root(15), 'enforce cannot-tell', '15 days old'],
  [
    'a shorter limit leaves nothing to warn of',
    'trust: { maxAge: { deny: 2w } }',
    root(13),
    'enforce pass',
    '13 days old',
  ],
  [
    'a longer limit',
    'trust: { maxAge: { warn: 1000d, deny: 2000d } }',
    root(900),
    'enforce pass',
    '900 days old',
  ],
  ['a root of tomorrow', '', root(-1), 'enforce pass', '0 days old'],
  [
    'a file',
    'trust: { root: root.json }',
    file,
    'enforce pass',
    'the newest entry of the trusted root sigstore is 1000 days old',
  ],
  [
    'a file where the policy sets a limit',
    'trust: { root: root.json, maxAge: { deny: 90d } }',
    file,
    'enforce cannot-tell',
    '1000 days old',
  ],
];

test.for(cases)('%s', ([, trust, dated, verdict, message]) => {
  const decision = decide(policyWith(trust), evidence, [dated]);
  const [finding] = decision.findings;
  expect(finding).toMatchObject({ rule: 'trust', message: expect.stringContaining(message) });
  expect(`${finding?.mode} ${finding?.outcome}`).toBe(verdict);
  expect(decision.roots).toEqual([dated]);
});

test('each root of a policy is judged', () => {
  const { findings } = decide(policyWith(''), evidence, [root(1), root(400)]);
  expect(findings.map(({ outcome }) => outcome).slice(0, 2)).toEqual(['pass', 'cannot-tell']);
});

test('an old root leaves no yes to anything else', () => {
  const policy = policyWith('trust: { logs: { key: 0 } }');
  expect(decide(policy, evidence, [root(366)])).toMatchObject({ verdict: 'deny' });
});

describe('a policy that asks for nothing a root proves', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' })).replaceAll('\n', '\\n');
  const key = `{ key: "${pem}" }`;

  test('does not speak of roots', () => {
    const decision = decide(policyWith('trust: { logs: { key: 0 } }', key), evidence, [root(1000)]);
    expect(decision.roots).toEqual([]);
    expect(decision.findings.map(({ rule }) => rule)).toEqual(['signed']);
  });

  test('does, where its keys have to be in a log', () => {
    const decision = decide(policyWith('', key), evidence, [root(1000)]);
    expect(decision.findings.map(({ rule }) => rule)).toEqual(['trust', 'signed']);
  });
});

test('an age is in whole days, and never below nothing', () => {
  expect([root(0.9), root(1.1), root(-5)].map((one) => ageInDays(one, now))).toEqual([0, 1, 0]);
});

test.for([
  [
    'instances beside a root',
    'trust: { root: a.json, instances: [sigstore] }',
    'only one of them can be meant',
  ],
  ['no instances', 'trust: { instances: [] }', 'is empty'],
  ['a path for an instance', 'trust: { instances: [../x] }', 'is not the name of a Sigstore instance'],
  ['an age without a unit', 'trust: { maxAge: { deny: 90 } }', 'maxAge.deny'],
  ['another word', 'trust: { maxAge: { refuse: 90d } }', 'does not know the key "refuse"'],
] as const)('%s is refused', ([, trust, words]) => {
  expect(() => policyWith(trust)).toThrow(words);
});

test('instances are those that the policy names, else the public one', () => {
  expect(policyWith('').trust.instances).toEqual(['sigstore']);
  expect(policyWith('trust: { instances: [sigstore, github, corp.example] }').trust.instances).toEqual([
    'sigstore',
    'github',
    'corp.example',
  ]);
});
