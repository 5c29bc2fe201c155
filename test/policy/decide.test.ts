import { expect, test } from 'vitest';
import { decide, decideAll, enforces, modeOf } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { type EvidenceSpec, issuer, judge, toEvidence } from '../support/evidence.ts';

const signers = `version: 1
signers:
  release: { issuer: ${issuer}, identity: "https://github.com/redhat-et/triton-dev-containers/.github/workflows/image-build.yml@refs/heads/main" }
  mallory: { issuer: ${issuer}, identity: "https://github.com/mallory/evil/.github/workflows/image-build.yml@refs/heads/main" }
`;
const policy = (scopes: string, name = 'policy.yaml') => parsePolicy(`${signers}scopes:\n${scopes}`, name);
const needsRelease = policy(
  '  - { match: quay.io, require: { signed: { by: [release] } } }\n',
  'machine.yaml',
);
const likesMallory = policy(
  '  - { match: quay.io, require: { signed: { by: [mallory] } } }\n',
  'project.yaml',
);
const elsewhere = policy('  - { match: ghcr.io, require: { signed: { by: [release] } } }\n');

const by = (...names: string[]): EvidenceSpec => ({ candidates: names.map((name) => ({ by: name })) });

test('an allow carries the image that was asked for', () => {
  const evidence = toEvidence(by('release'));
  const verdict = judge([needsRelease], evidence);
  expect(verdict).toMatchObject({ verdict: 'allow', exit: 0, allow: { image: evidence.image } });
});

test('a project policy cannot loosen what stands above it', () => {
  expect(decide(likesMallory, toEvidence(by('stranger'))).verdict).toBe('allow');
  expect(judge([needsRelease, likesMallory], toEvidence(by('stranger')))).toMatchObject({
    verdict: 'deny',
    exit: 1,
  });
  expect(judge([needsRelease, likesMallory], toEvidence(by('release')))).toMatchObject({
    verdict: 'deny',
    exit: 1,
  });
  expect(judge([needsRelease, likesMallory], toEvidence(by('release', 'stranger')))).toMatchObject({
    verdict: 'allow',
  });
});

test('a trusted root that a project brings along proves nothing to the policies above it (A-110)', () => {
  const evidence = toEvidence(by('release'));
  const verdict = decideAll([needsRelease, likesMallory], evidence, (policy) =>
    policy === likesMallory ? toEvidence(by('release', 'stranger')).candidates : [],
  );
  expect(verdict).toMatchObject({ verdict: 'deny', decisions: [{ verdict: 'deny' }, {}] });
});

test('no policy, no allow', () => {
  expect(judge([], toEvidence(by('release')))).toMatchObject({ verdict: 'deny', exit: 1 });
});

test('a denial holds no allow', () => {
  expect(judge([needsRelease], toEvidence({}))).not.toHaveProperty('allow');
});

test('an image in no scope is denied, and the finding says so', () => {
  const decision = decide(elsewhere, toEvidence(by('release')));
  expect(decision).toMatchObject({
    verdict: 'deny',
    exit: 1,
    findings: [{ rule: 'scope', outcome: 'fail', expected: 'ghcr.io' }],
  });
  expect(decision.scope).toBeUndefined();
});

test('the most specific scope decides alone', () => {
  const layered = policy(`  - { match: quay.io, require: { signed: { by: [release] } } }
  - { match: quay.io/triton-dev-containers, require: { signed: { by: [mallory] } } }
`);
  expect(decide(layered, toEvidence(by('release')))).toMatchObject({
    verdict: 'deny',
    scope: 'quay.io/triton-dev-containers',
  });
});

test('a rule that warns is evaluated and reported, and denies nothing', () => {
  const warns = policy('  - { match: quay.io, require: { signed: { by: [release], mode: warn } } }\n');
  expect(decide(warns, toEvidence({}))).toMatchObject({
    verdict: 'allow',
    findings: [{ mode: 'warn', outcome: 'fail' }],
  });
});

test.for([
  [{ mode: 'warn' }, 'warn'],
  [{ mode: 'enforce' }, 'enforce'],
  [{ mode: 'WARN' }, 'enforce'],
  [{}, 'enforce'],
  ['warn', 'enforce'],
  [null, 'enforce'],
  [undefined, 'enforce'],
] as const)('%j is a rule that is to %s', ([params, mode]) => {
  expect(modeOf(params)).toBe(mode);
});

test.for([
  ['one rule', { signed: {} }, true],
  ['one of two rules', { signed: { mode: 'warn' }, sbom: {} }, true],
  ['a rule that warns', { signed: { mode: 'warn' } }, false],
  ['a deny list alone', { deny: {} }, false],
  ['a deny list beside a rule that warns', { deny: {}, signed: { mode: 'warn' } }, false],
  ['a rule that is not there', { signed: undefined }, false],
] as const)('a scope with %s asks for something: %j', ([, require, asks]) => {
  expect(enforces({ match: 'quay.io', multiArch: 'index', require })).toBe(asks);
});

test('where no rule has spoken the answer is no, whatever is known of the roots', () => {
  const [scope] = needsRelease.scopes;
  const silent = { ...needsRelease, scopes: scope === undefined ? [] : [{ ...scope, require: {} }] };
  const root = {
    source: 'sigstore',
    digest: needsRelease.digest,
    origin: 'a file',
    newest: new Date('2026-11-20T00:00:00Z'),
  };
  for (const roots of [[], [root]]) {
    expect(decide(silent, toEvidence(by('release')), roots)).toMatchObject({ verdict: 'deny', exit: 1 });
  }
});

test('cannot tell denies with its own exit, and a plain no outweighs it', () => {
  const rules = 'signed: { by: [release] }, sbom: { by: [release] }, llvm: { is: pinned }';
  const strict = policy(`  - { match: quay.io, require: { ${rules} } }\n`);
  const unreadable = { type: 'cyclonedx', by: 'release', predicate: {} };
  expect(decide(strict, toEvidence({ candidates: [{ by: 'release' }, unreadable] }))).toMatchObject({
    verdict: 'deny',
    exit: 2,
  });
  expect(decide(strict, toEvidence({ candidates: [unreadable] }))).toMatchObject({
    verdict: 'deny',
    exit: 1,
  });
});

test('every candidate is explained, the refused ones too', () => {
  const { candidates } = judge(
    [needsRelease],
    toEvidence({ candidates: [{ refused: 'signature.invalid' }, { by: 'release' }] }),
  );
  expect(candidates.map(({ code, verified }) => [verified, code])).toEqual([
    [false, 'signature.invalid'],
    [true, undefined],
  ]);
});
