import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../src/policy/cel.ts';
import type { MultiArch, RuleContext } from '../../src/policy/rule.ts';
import type { ExpressionsParams } from '../../src/policy/rules/expressions.ts';
import { rules } from '../../src/policy/rules/index.ts';
import type { TrustedSigner } from '../../src/policy/signer.ts';
import { digestFor, type EvidenceSpec, issuer, toEvidence } from '../support/evidence.ts';

interface RuleCase extends EvidenceSpec {
  readonly require: Readonly<Record<string, unknown>> & { readonly expressions?: ExpressionsParams };
  readonly multiArch?: MultiArch;
  readonly logs?: RuleContext['logs'];
  readonly nearMisses?: number;
}

const root = join(import.meta.dirname, '../../fixtures/rules');
const outcomes = { allows: 'pass', denies: 'fail', 'cannot-tell': 'cannot-tell' } as const;

const workflows = 'https://github.com/redhat-et/triton-dev-containers/.github/workflows';
const identity = (name: string, file: string, claims = {}): TrustedSigner => ({
  kind: 'keyless',
  name,
  issuer,
  identity: `${workflows}/${file}@refs/heads/main`,
  claims,
});
const signers = new Map(
  [
    identity('release', 'image-build.yml'),
    identity('sbom', 'image-sbom.yml'),
    identity('main', 'image-build.yml', { sourceRepositoryRef: 'refs/heads/main' }),
    {
      ...identity('anyTag', 'image-build.yml'),
      identity: `${workflows}/image-build.yml@refs/tags/*`,
    } as const,
    { ...identity('anyWorkflow', ''), identity: `${workflows}/*.yml@refs/heads/main` } as const,
    // Wider than a policy may be: whose statements are counted or denied is asked of signers, not of the
    // form.
    { ...identity('anyMail', ''), issuer: 'https://accounts.google.com', identity: '*@*' } as const,
    {
      ...identity('anyMailByGitHub', ''),
      issuer: 'https://github.com/login/oauth',
      identity: '*@*',
    } as const,
    {
      ...identity('anyRepository', ''),
      identity: 'https://*/*/*/.github/workflows/r.yml@refs/heads/main',
    } as const,
    { kind: 'key', name: 'team', pem: '', fingerprint: digestFor('a') } as const,
    {
      kind: 'key',
      name: 'lent',
      pem: '',
      fingerprint: digestFor('b'),
      validFor: { start: new Date('2026-01-01'), end: new Date('2026-11-21') },
    } as const,
  ].map((signer): [string, TrustedSigner] => [signer.name, signer as TrustedSigner]),
);

const cases = rules.flatMap((rule) =>
  Object.entries(outcomes).flatMap(([folder, outcome]) => {
    const path = join(root, rule.name, folder);
    if (!existsSync(path)) {
      return [];
    }
    return readdirSync(path).map(
      (file) => [`${rule.name} ${folder} ${file.slice(0, -5)}`, rule, outcome, join(path, file)] as const,
    );
  }),
);

test.for(cases)('%s', ([, rule, outcome, path]) => {
  const spec = JSON.parse(readFileSync(path, 'utf8')) as RuleCase;
  const context: RuleContext = {
    signers,
    multiArch: spec.multiArch ?? 'index',
    logs: spec.logs ?? { keyless: 1, key: 1 },
    require: spec.require,
    expressions: new Map((spec.require['expressions']?.all ?? []).map(({ that }) => [that, compile(that)])),
  };
  const finding = rule.evaluate(rule.params.read(spec.require[rule.name], []), toEvidence(spec), context);
  expect(finding).toMatchObject({ rule: rule.name, outcome });
  expect(finding.message).not.toBe('');
  if (outcome === 'fail') {
    expect(finding.actual ?? finding.hint ?? finding.expected).toBeTruthy();
  }
  if (spec.nearMisses !== undefined) {
    expect(finding.nearMisses).toHaveLength(spec.nearMisses);
  }
});

/** A signature is there or it is not: whoever could not look has thrown before any rule was asked. */
const neverInDoubt: ReadonlySet<string> = new Set(['attested', 'deny', 'signed']);

test.for(rules.map((rule) => [rule.name]))(
  '%s has an image it allows, one it denies and one it cannot tell about',
  ([name]) => {
    const folders = readdirSync(join(root, name ?? '')).filter(
      (folder) => readdirSync(join(root, name ?? '', folder)).length > 0,
    );
    const needed = Object.keys(outcomes).filter(
      (folder) => folder !== 'cannot-tell' || !neverInDoubt.has(name ?? ''),
    );
    expect(folders.sort()).toEqual(needed.sort());
  },
);

test('every folder of fixtures is that of a rule', () => {
  expect(readdirSync(root).sort()).toEqual(rules.map((rule) => rule.name).sort());
});
