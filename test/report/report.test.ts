import { expect, test } from 'vitest';
import type { Verdict } from '../../src/policy/decide.ts';
import { parsePolicy } from '../../src/policy/document.ts';
import { toJson } from '../../src/report/json.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { toSarif } from '../../src/report/sarif.ts';
import { formatVerdict } from '../../src/report/text.ts';
import {
  digestFor,
  type EvidenceSpec,
  issuer,
  judge,
  toEvidence,
  unsafeVerified,
} from '../support/evidence.ts';
import { sarifProblems } from '../support/sarif.ts';

const policy = parsePolicy(
  `version: 1
signers:
  release: { issuer: ${issuer}, identity: https://github.com/redhat-et/triton-dev-containers/.github/workflows/image-build.yml@refs/heads/main }
scopes:
  - match: quay.io
    require:
      signed: { by: [release] }
      sbom: { by: [release], mode: warn }
`,
  'policy.yaml',
);
const verdictOn = (spec: EvidenceSpec): Verdict => judge([policy], toEvidence(spec));
const allowed = verdictOn({ candidates: [{ by: 'release' }, { by: 'release', sbom: { components: [] } }] });
const denied = verdictOn({ candidates: [{ refused: 'signature.invalid' }, { by: 'stranger' }] });

/** An identity that moves the cursor, breaks the line, turns the text around, and is Markdown besides. */
const nasty = '\u001b[2J\n\u202eevil](https://evil.example) | <img src=x> `code` @everybody';
const insulted: Verdict = judge([policy], {
  ...toEvidence({}),
  candidates: [
    {
      source: digestFor('5'),
      outcome: {
        ok: true,
        value: unsafeVerified({
          type: 'https://sigstore.dev/cosign/sign/v1',
          about: [digestFor('1')],
          signer: { kind: 'keyless', issuer: nasty, identity: nasty, claims: {} },
        }),
      },
    },
  ],
});

test('text tells the answer first, then every rule with its reason and the next step', () => {
  const text = formatVerdict(denied);
  expect(text.split('\n')[0]).toBe(`quay.io/triton-dev-containers/triton@${digestFor('1')}: denied`);
  expect(text).toContain('✗ signed: the image has no signature by a trusted signer');
  expect(text).toContain('! sbom: no SBOM of this image');
  expect(text).toMatch(/close: signed by .*mallory.*not release \(another identity\)/);
  expect(text).toMatch(/hint: sign sha256:1+ as release/);
  expect(text).toContain('2 candidates looked at, 1 verified');
  expect(text).toContain('refused as signature.invalid');
});

test('text of an allow', () => {
  expect(formatVerdict(allowed)).toMatch(
    /: allowed\n\npolicy policy\.yaml, scope quay\.io\n {2}✓ signed: .*\n {2}✓ sbom: /,
  );
});

test('without a policy each report says so', () => {
  const verdict = judge([], toEvidence({}));
  expect(formatVerdict(verdict)).toContain('no policy was found');
  expect(toMarkdown(verdict)).toContain('No policy was found');
  expect(JSON.parse(toSarif(verdict, '0.1.0'))).toMatchObject({
    runs: [{ results: [{ ruleId: 'policy', level: 'error' }] }],
  });
});

test.for([
  ['text', formatVerdict],
  ['Markdown', toMarkdown],
  ['SARIF', (verdict: Verdict) => toSarif(verdict, '0.1.0')],
  ['JSON', toJson],
] as const)('%s lets no stranger move the cursor, break a line or turn text around', ([, write]) => {
  const text = write(insulted);
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/);
  expect(text).toContain('evil.example');
  expect(text).not.toMatch(/^.{0,3}evil/m);
});

test('Markdown lets no stranger write Markdown', () => {
  const text = toMarkdown(insulted);
  expect(text).not.toContain('<img');
  expect(text).not.toContain('](https:');
  expect(text).not.toContain('@everybody');
  const row = text.split('\n').find((line) => line.includes('| signed |')) ?? '';
  expect(row.match(/(?<!\\)\|/g)).toHaveLength(4);
});

test('JSON has one shape, with null for what is not there', () => {
  expect(JSON.parse(toJson(denied))).toMatchObject({
    format: 'tcf.verdict/1',
    image: `quay.io/triton-dev-containers/triton@${digestFor('1')}`,
    verdict: 'deny',
    exit: 1,
    decidedAt: '2026-11-23T12:00:00.000Z',
    decisions: [
      {
        policy: { name: 'policy.yaml', digest: policy.digest },
        scope: 'quay.io',
        findings: [
          { rule: 'signed', mode: 'enforce', outcome: 'fail', nearMisses: [{ source: digestFor('6') }] },
          { rule: 'sbom', mode: 'warn', outcome: 'fail', nearMisses: [] },
        ],
      },
    ],
    candidates: [
      { verified: false, code: 'signature.invalid' },
      { verified: true, code: null },
    ],
  });
});

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly partialFingerprints: Readonly<Record<string, string>>;
    }[];
  }[];
}
const sarifOf = (verdict: Verdict): Sarif => JSON.parse(toSarif(verdict, '0.1.0')) as Sarif;

test('SARIF has a result for each rule that did not pass, and none where all did', () => {
  for (const verdict of [allowed, denied, insulted]) {
    expect(sarifProblems(sarifOf(verdict))).toEqual([]);
  }
  expect(sarifOf(allowed).runs[0]?.results).toEqual([]);
  expect(sarifOf(denied).runs[0]?.results.map(({ level, ruleId }) => [ruleId, level])).toEqual([
    ['signed', 'error'],
    ['sbom', 'warning'],
  ]);
});

test('each SARIF result points to its rule', () => {
  const outside = verdictOn({ image: 'localhost:5000/x/y' });
  for (const run of [...sarifOf(denied).runs, ...sarifOf(outside).runs]) {
    for (const { ruleId, ruleIndex } of run.results) {
      expect(run.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    }
  }
});

test('the fingerprint of a finding outlives the digest of the image and not its name', () => {
  const printsOf = (verdict: Verdict): unknown =>
    sarifOf(verdict).runs[0]?.results.map((result) => result.partialFingerprints);
  const other = judge([policy], {
    ...toEvidence({}),
    image: { ...toEvidence({}).image, digest: digestFor('9') },
  });
  expect(printsOf(other)).toEqual(printsOf(denied));
  expect(printsOf(verdictOn({ image: 'quay.io/acme/other' }))).not.toEqual(printsOf(denied));
});
