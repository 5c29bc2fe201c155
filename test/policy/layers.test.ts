import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Policy, parsePolicy } from '../../src/policy/document.ts';
import { digests, type EvidenceSpec, issuer, judge, toEvidence } from '../support/evidence.ts';
import { runs } from '../support/runs.ts';

const workflows = 'https://github.com/redhat-et/triton-dev-containers/.github/workflows';
const signers = {
  release: { issuer, identity: `${workflows}/image-build.yml@refs/heads/main` },
  sbom: { issuer, identity: `${workflows}/image-sbom.yml@refs/heads/main` },
  stranger: {
    issuer,
    identity: 'https://github.com/mallory/evil/.github/workflows/image-build.yml@refs/heads/main',
  },
};
const names = Object.keys(signers);
const mode = fc.constantFrom('enforce', 'warn');
const by = fc.subarray(names, { minLength: 1 });

const scope = fc.record({
  match: fc.constantFrom('quay.io', 'quay.io/triton-dev-containers', 'ghcr.io'),
  multiArch: fc.constantFrom('index', 'platform', 'either'),
  require: fc.record(
    { signed: fc.record({ by, mode }), sbom: fc.record({ by, mode }) },
    { requiredKeys: ['signed'] },
  ),
});

/** Whatever a policy may say: scopes, deny lists, and exceptions that lift everything. */
const policy: fc.Arbitrary<Policy> = fc
  .record(
    {
      scopes: fc.uniqueArray(scope, { minLength: 1, maxLength: 3, selector: ({ match }) => match }),
      exceptions: fc.constant([
        {
          digest: digests['image'],
          rules: ['signed', 'sbom'],
          reason: 'let me in',
          owner: 'mallory',
          expires: '2099-01-01',
        },
      ]),
      deny: fc.constant({ digests: [digests['other']] }),
    },
    { requiredKeys: ['scopes'] },
  )
  .map((parts) => parsePolicy(JSON.stringify({ version: 1, signers, ...parts }), 'policy.json'));

const evidence: fc.Arbitrary<EvidenceSpec> = fc.record({
  platform: fc.boolean(),
  candidates: fc.array(
    fc.record(
      {
        by: fc.constantFrom(...names),
        about: fc.constantFrom(['image'], ['platform'], ['other']),
        sbom: fc.constant({}),
      },
      { requiredKeys: ['by', 'about'] },
    ),
    { maxLength: 4 },
  ),
});

test('one more policy never allows what was denied, wherever it stands', () => {
  let changed = 0;
  fc.assert(
    fc.property(
      fc.array(policy, { maxLength: 3 }),
      policy,
      fc.nat(3),
      evidence,
      (above, project, at, spec) => {
        const facts = toEvidence(spec);
        const before = judge(above, facts).verdict;
        const after = judge(above.toSpliced(at, 0, project), facts).verdict;
        if (above.length > 0 && before === 'deny') {
          expect(after).toBe('deny');
        }
        if (before === 'allow' && after === 'deny') {
          changed += 1;
        }
      },
    ),
    { numRuns: runs(2000) },
  );
  // Or the property would hold for a function that always denies.
  expect(changed).toBeGreaterThan(0);
});

test('all together say what each says alone', () => {
  fc.assert(
    fc.property(fc.array(policy, { minLength: 1, maxLength: 4 }), evidence, (policies, spec) => {
      const facts = toEvidence(spec);
      const each = policies.map((one) => judge([one], facts).verdict);
      expect(judge(policies, facts).verdict).toBe(each.includes('deny') ? 'deny' : 'allow');
      expect(judge(policies.toReversed(), facts).verdict).toBe(judge(policies, facts).verdict);
    }),
  );
});
