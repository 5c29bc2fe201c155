import { expect, test } from 'vitest';
import { predicateTypes } from '../../src/attest/statement.ts';
import type { ProvenSigner } from '../../src/attest/verified.ts';
import { yes } from '../../src/base/outcome.ts';
import { decideAll } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { toCandidate } from '../../src/policy/evidence.ts';
import { toJsonVerdict } from '../../src/report/json.ts';
import { formatVerdict } from '../../src/report/text.ts';
import { digestFor, issuer, toEvidence, unsafeVerified } from '../support/evidence.ts';

/*
 * A denial says what could be pasted into the policy by somebody who trusts the signer, and that makes it a
 * yes for exactly this signer.
 */

const policy = (signer: string) =>
  parsePolicy(
    `version: 1\nsigners:\n  one: ${signer}\nscopes: [{ match: quay.io, require: { signed: { by: [one] } } }]\n`,
    'policy.yaml',
  );
const trusted = `{ issuer: ${issuer}, identity: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main" }`;

function judge(document: string, signer: ProvenSigner, about = digestFor('1')) {
  const evidence = toEvidence({ candidates: [] });
  const verified = unsafeVerified({ type: predicateTypes.signature, about: [about], signer });
  const verdict = decideAll([policy(document)], evidence, () => [toCandidate(digestFor('a'), yes(verified))]);
  const [finding] = toJsonVerdict(verdict).decisions[0]?.findings ?? [];
  return { verdict, suggestion: finding?.nearMisses[0]?.suggestion };
}
const keyless = (identity: string, from = issuer): ProvenSigner => ({
  kind: 'keyless',
  issuer: from,
  identity,
  claims: {},
});

test.for([
  ['a workflow', keyless('https://github.com/acme/app/.github/workflows/nightly.yml@refs/heads/main')],
  ['a person', keyless('ada@acme.example', 'https://accounts.example')],
  ['an identity with signs that YAML reads', keyless('https://x.example/{a:"b",#c}@refs/heads/main')],
] as const)('%s: pasted, it is a yes', ([, signer]) => {
  const { suggestion, verdict } = judge(trusted, signer);
  expect(verdict.exit).toBe(1);
  expect(formatVerdict(verdict)).toContain(`to trust it, under signers: NAME: ${suggestion}`);
  expect(judge(suggestion ?? '', signer).verdict.exit).toBe(0);
});

test.for<readonly [string, ProvenSigner]>([
  [
    'an identity with a star, which would name others too',
    keyless('https://github.com/*/app@refs/heads/main'),
  ],
  ['an identity with a blank', keyless('https://x.example/a b@refs/heads/main')],
  ['a key', { kind: 'key', name: 'team', fingerprint: digestFor('5') }],
])('%s is not suggested', ([, signer]) => {
  const { suggestion, verdict } = judge(trusted, signer);
  expect(verdict.exit).toBe(1);
  expect(suggestion).toBeNull();
});

test('what would not help is not suggested: a good signature of another image', () => {
  expect(judge(trusted, keyless('ada@acme.example'), digestFor('9')).suggestion).toBeNull();
});
