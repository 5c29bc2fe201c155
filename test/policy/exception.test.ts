import { expect, test } from 'vitest';
import type { DatedRoot } from '../../src/policy/dated-root.ts';
import { decide } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { toJsonVerdict } from '../../src/report/json.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { toSarif } from '../../src/report/sarif.ts';
import { formatVerdict } from '../../src/report/text.ts';
import { digests, type EvidenceSpec, issuer, judge, toEvidence } from '../support/evidence.ts';

const workflow = 'https://github.com/redhat-et/triton-dev-containers/.github/workflows/image-build.yml';
const lifted = (parts: Readonly<Record<string, unknown>> = {}) => ({
  digest: digests['image'],
  rules: ['signed'],
  reason: 'moving to another workflow',
  owner: 'ada@acme.example',
  expires: '2026-12-01',
  ...parts,
});
const policyWith = (exceptions: readonly unknown[], more: Readonly<Record<string, unknown>> = {}) =>
  parsePolicy(
    JSON.stringify({
      version: 1,
      signers: { release: { issuer, identity: `${workflow}@refs/heads/main` } },
      scopes: [
        {
          match: 'quay.io',
          require: { signed: { by: ['release'] }, sbom: { by: ['release'] }, llvm: { is: 'pinned' } },
        },
      ],
      ...more,
      exceptions,
    }),
    'policy.yaml',
  );
const sbomOnly: EvidenceSpec = { candidates: [{ by: 'release', sbom: { components: [] } }] };
const all = ['signed', 'sbom', 'llvm'];

test.for([
  ['that image and rules', lifted({ rules: all }), 'allow', sbomOnly],
  [
    'the manifest of the platform',
    lifted({ digest: digests['platform'], rules: all }),
    'allow',
    { ...sbomOnly, platform: true },
  ],
  ['another image', lifted({ digest: digests['other'], rules: all }), 'deny', sbomOnly],
  ['only some of the rules', lifted(), 'deny', sbomOnly],
  ['the moment in which it ends', lifted({ rules: all, expires: '2026-11-23T12:00:00Z' }), 'deny', sbomOnly],
  ['a second before it ends', lifted({ rules: all, expires: '2026-11-23T12:00:01Z' }), 'allow', sbomOnly],
  [
    'the configuration, which nobody asks for by digest',
    lifted({ digest: digests['config'], rules: all }),
    'deny',
    sbomOnly,
  ],
] as const)('an exception for %s', ([, exception, verdict, spec]) => {
  expect(decide(policyWith([exception]), toEvidence(spec)).verdict).toBe(verdict);
});

const ended = { rules: all, expires: '2026-11-23T00:00:00Z' };
const back = { now: '2026-11-01T00:00:00Z' };

test.for([
  [
    'nothing shows it',
    { ...sbomOnly, ...back, candidates: [{ by: 'release', sbom: { components: [] }, time: null }] },
    {},
    'allow',
  ],
  ['the clock is right', { ...sbomOnly, now: '2026-11-22T00:00:00Z' }, {}, 'allow'],
  [
    'a signed time',
    { ...back, candidates: [{ by: 'release', sbom: { components: [] }, time: '2026-11-24T00:00:00Z' }] },
    {},
    'deny',
  ],
  [
    'a signed time of a stranger',
    {
      ...back,
      candidates: [...(sbomOnly.candidates ?? []), { by: 'stranger', time: '2026-11-24T00:00:00Z' }],
    },
    {},
    'deny',
  ],
  [
    'the log of decisions',
    { ...sbomOnly, now: '2026-11-22T00:00:00Z' },
    { recorded: new Date('2026-11-23T01:00:00Z') },
    'deny',
  ],
  [
    'a log of before',
    { ...sbomOnly, now: '2026-11-22T00:00:00Z' },
    { recorded: new Date('2026-11-21T00:00:00Z') },
    'allow',
  ],
  [
    'a difference of honest clocks',
    { ...sbomOnly, now: '2026-11-22T23:59:00Z' },
    { recorded: new Date('2026-11-23T00:03:00Z') },
    'allow',
  ],
] as const)(
  'with a clock that was set back an expired exception does not count again: %s',
  ([, spec, more, verdict]) => {
    const decision = decide(policyWith([lifted(ended)]), { ...toEvidence(spec), ...more });
    expect(decision.verdict).toBe(verdict);
    const words = decision.findings.map(({ message }) => message).join();
    expect(words.includes('the clock is behind 2026-11-2')).toBe(verdict === 'deny');
  },
);

test('with the clock right, an expired exception has simply ended', () => {
  const decision = decide(policyWith([lifted(ended)]), toEvidence(sbomOnly));
  expect(decision.verdict).toBe('deny');
  expect(decision.findings.map(({ message }) => message).join()).not.toContain('the clock is behind');
});

test('when the root was known to be current bounds the clock too', () => {
  const root = {
    source: 'sigstore',
    digest: digests['other'],
    origin: 'tcf trust update',
    newest: new Date('2026-01-01T00:00:00Z'),
  } as never as DatedRoot;
  const evidence = toEvidence({ ...sbomOnly, now: '2026-11-22T00:00:00Z' });
  const asked = (asOf: string) =>
    decide(policyWith([lifted(ended)]), evidence, [{ ...root, asOf: new Date(asOf) }]).verdict;
  expect(asked('2026-11-22T00:00:00Z')).toBe('allow');
  expect(asked('2026-11-24T00:00:00Z')).toBe('deny');
});

test('an exception lifts nothing from a rule that passes, and never what stands on the deny list', () => {
  const policy = policyWith([lifted({ rules: all })], { deny: { digests: [digests['image']] } });
  const exceptions = policy.exceptions.map((one) => ({ ...one, rules: ['signed', 'deny'] }));
  const decision = decide({ ...policy, exceptions }, toEvidence({ candidates: [{ by: 'release' }] }));
  expect(decision).toMatchObject({ verdict: 'deny', exit: 1 });
  const of = (name: string) => decision.findings.find(({ rule }) => rule === name);
  expect(of('deny')).toMatchObject({ outcome: 'fail', mode: 'enforce' });
  expect(of('signed')).toMatchObject({ outcome: 'pass', mode: 'enforce' });
  for (const name of ['deny', 'signed']) {
    expect(of(name)).not.toHaveProperty('exception');
  }
});

test('one in force counts beside an expired one', () => {
  const policy = policyWith([lifted({ rules: all, expires: '2026-01-01' }), lifted({ rules: all })]);
  expect(decide(policy, toEvidence(sbomOnly)).verdict).toBe('allow');
});

test('what is on the deny list stays there', () => {
  const policy = policyWith([lifted({ rules: all })], { deny: { digests: [digests['image']] } });
  expect(decide(policy, toEvidence(sbomOnly))).toMatchObject({ verdict: 'deny', exit: 1 });
});

test('an image in no scope has no exception', () => {
  const spec = { ...sbomOnly, image: 'ghcr.io/acme/app' };
  expect(decide(policyWith([lifted({ rules: all })]), toEvidence(spec)).verdict).toBe('deny');
});

test('each report shows who answers for it, until when, and one that has ended', () => {
  const policy = policyWith([
    lifted({ rules: ['signed'] }),
    lifted({ rules: ['llvm'], expires: '2026-01-01' }),
  ]);
  const verdict = judge([policy], toEvidence(sbomOnly));
  const shown = 'until 2026-12-01, by ada@acme.example: moving to another workflow';
  const ended = 'ended 2026-01-01, by ada@acme.example: moving to another workflow';
  expect(formatVerdict(verdict)).toContain(`exception: ${shown}`);
  expect(formatVerdict(verdict)).toContain(`exception: ${ended}`);
  expect(toMarkdown(verdict)).toContain('exception: until 2026-12-01, by ada&#64;acme.example');
  expect(toSarif(verdict, '0')).toContain(`Exception: ${shown}`);
  expect(toJsonVerdict(verdict).decisions[0]?.findings).toMatchObject([
    { rule: 'signed', mode: 'warn', exception: { owner: 'ada@acme.example', expired: false } },
    { rule: 'sbom', outcome: 'pass', exception: null },
    { rule: 'llvm', mode: 'enforce', exception: { expired: true } },
  ]);
});
