import { expect, test } from 'vitest';
import { parseImageRef } from '../../src/oci/reference.ts';
import { commonSboms } from '../../src/policy/attested-sboms.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { explainName } from '../../src/policy/explain.ts';
import { digests, issuer, toEvidence } from '../support/evidence.ts';

const identity =
  'https://github.com/redhat-et/triton-dev-containers/.github/workflows/image-build.yml@refs/heads/main';
const excepted = (digest: string) => ({
  digest,
  rules: ['signed'],
  reason: 'moving',
  owner: 'ada',
  expires: '2030-01-01',
});
const policyFor = (match: string, require: Readonly<Record<string, unknown>>) =>
  parsePolicy(
    JSON.stringify({
      version: 1,
      signers: { release: { issuer, identity } },
      scopes: [{ match, require }],
      exceptions: [excepted(digests['image'] ?? ''), excepted(digests['other'] ?? '')],
    }),
    'policy.json',
  );
const signed = { signed: { by: ['release'], mode: 'warn' } };

test('what is explained of a name: the rules that are asked, and the exceptions that may be about it', () => {
  const about = (name: string) => explainName([policyFor('quay.io', signed)], parseImageRef(name))[0];
  expect(about('quay.io/x')?.asked).toMatchObject([
    { rule: 'signed', mode: 'warn', params: { by: ['release'] } },
  ]);
  expect(about('quay.io/x')?.exceptions).toHaveLength(2);
  expect(about(`quay.io/x@${digests['image']}`)?.exceptions).toMatchObject([{ digest: digests['image'] }]);
  expect(about('ghcr.io/x')).toMatchObject({ asked: [], exceptions: [], scopes: ['quay.io'] });
});

test('SBOMs that count are those that every policy which asks for one accepts', () => {
  const evidence = toEvidence({ candidates: [{ by: 'release', sbom: { components: [] } }] });
  const sbom = { sbom: { by: ['release'] } };
  const common = (...policies: readonly ReturnType<typeof policyFor>[]) =>
    commonSboms(new Map(policies.map((policy) => [policy, evidence])));
  expect(common(policyFor('quay.io', sbom))).toMatchObject([{ signer: 'release' }]);
  expect(common(policyFor('quay.io', sbom), policyFor('quay.io', signed))).toHaveLength(1);
  expect(common(policyFor('quay.io', sbom), policyFor('ghcr.io', sbom))).toHaveLength(1);
  expect(common(policyFor('quay.io', signed))).toEqual([]);
  expect(common(policyFor('ghcr.io', sbom))).toEqual([]);
});
