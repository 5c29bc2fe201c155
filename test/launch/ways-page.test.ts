import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { containerdGaps, dockerGaps, podmanGaps } from '../../src/app/hooks/gaps.ts';
import { countWays, waysIn } from '../support/ways-page.ts';

/* The tests in test/e2e write docs/ways-to-start.md; what they leave out or skip is counted here. */

const page = readFileSync(join(import.meta.dirname, '../../docs/ways-to-start.md'), 'utf8');
const rows = waysIn(page);
const codes = [...podmanGaps, ...containerdGaps, ...dockerGaps].map(({ code }) => code);

test('the page says how many ways there are, and how many of them were not tried', () => {
  expect(page).toContain(`\n${countWays(page)}\n`);
});

test('each way was tried, or its row says why not', () => {
  expect(
    rows.filter(({ outcome }) => !/^(?:refused|gap: [a-z-]+|not tried here: .+)$/.test(outcome)),
  ).toEqual([]);
  expect(rows.filter(({ outcome }) => !outcome.startsWith('not tried')).length).toBeGreaterThanOrEqual(60);
});

test('each gap of the lists has a row that shows it, and no row has another gap', () => {
  const shown = rows.flatMap(({ outcome }) => /^gap: (.*)$/.exec(outcome)?.[1] ?? []);
  expect([...new Set(shown)].sort()).toEqual([...new Set(codes)].sort());
});

test('a row that was not tried is counted', () => {
  expect(
    countWays(
      '# x\n\n## y\n\n| way | outcome |\n| --- | --- |\n| a | refused |\n| b | not tried here: no Go |\n',
    ),
  ).toBe('2 ways: 1 refused, 0 gaps, 1 not tried here.');
});
