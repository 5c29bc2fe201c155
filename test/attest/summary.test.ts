import { expect, test } from 'vitest';
import { isSummary, parseSummary, reachesLevel } from '../../src/attest/summary.ts';

/* The fields and the levels are those of https://slsa.dev/spec/v1.2/verification_summary. */

const v1 = 'https://slsa.dev/verification_summary/v1';
const summary = {
  verifier: { id: 'https://verifier.example' },
  timeVerified: '2026-11-30T12:00:00Z',
  resourceUri: 'quay.io/acme/app@sha256:1',
  policy: { uri: 'https://policies.example/prod' },
  verificationResult: 'PASSED',
  verifiedLevels: ['SLSA_BUILD_LEVEL_3'],
};

test.for([
  [v1, true],
  [`${v1}.2`, true],
  [`x${v1}`, false],
  [`${v1}x`, false],
  [`${v1}.22`, false],
  ['https://slsa.dev/verification_summary/v2', false],
] as const)('%s is a verification summary: %s', ([type, expected]) => {
  expect(isSummary(type)).toBe(expected);
});

test.for(['PASSED', 'FAILED'] as const)('a result of %s is read', (verificationResult) => {
  expect(parseSummary({ ...summary, verificationResult })).toMatchObject({
    ok: true,
    value: {
      result: verificationResult,
      verifier: 'https://verifier.example',
      levels: ['SLSA_BUILD_LEVEL_3'],
    },
  });
});

test.for(['passed', 'OK', 'NOT PASSED', ''])('a result of "%s" is none', (verificationResult) => {
  const outcome = parseSummary({ ...summary, verificationResult });
  expect(outcome).toMatchObject({ ok: false, reason: { code: 'document.malformed' } });
  expect(outcome.ok ? '' : outcome.reason.message).toContain('neither PASSED nor FAILED');
});

test.for([
  ['the level itself', ['SLSA_BUILD_LEVEL_3'], 'SLSA_BUILD_LEVEL_3', true],
  ['a higher one', ['SLSA_BUILD_LEVEL_3'], 'SLSA_BUILD_LEVEL_2', true],
  ['a lower one', ['SLSA_BUILD_LEVEL_1'], 'SLSA_BUILD_LEVEL_2', false],
  ['another track', ['SLSA_SOURCE_LEVEL_3'], 'SLSA_BUILD_LEVEL_2', false],
  ['a word of the verifier', ['ACME_SCANNED'], 'ACME_SCANNED', true],
  ['another word of the verifier', ['ACME_SCANNED'], 'ACME_REVIEWED', false],
  ['words that begin as a level does', ['SLSA_BUILD_LEVEL_3_AT_TIMES'], 'SLSA_BUILD_LEVEL_2', false],
  ['words that end as a level does', ['NO_SLSA_BUILD_LEVEL_3'], 'SLSA_BUILD_LEVEL_2', false],
  ['nothing', [], 'SLSA_BUILD_LEVEL_1', false],
] as const)('what reaches a level: %s', ([, verified, wanted, expected]) => {
  expect(reachesLevel(verified, wanted)).toBe(expected);
});
