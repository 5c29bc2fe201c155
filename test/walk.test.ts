import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { walks } from './e2e/page/steps.ts';
import { statementsOf } from './support/statements.ts';

/*
 * docs/nothing-unverified-starts.md promises, and test/e2e/page shows each statement with real engines.
 * walk.txt says by which step; here nothing is started, so that a line without a step fails at once.
 */

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');

interface Shown {
  readonly step: string;
  readonly statements: readonly string[];
}

/** `# STEP`, and below it the statements that it shows. */
const walk: readonly Shown[] = read('e2e/page/walk.txt')
  .split(/^# /m)
  .slice(1)
  .map((text) => {
    const [step = '', ...statements] = text.trim().split('\n');
    return { step, statements };
  });
const own = 'each statement has its step';
const notTried = 'not tried here';

test(own, () => {
  const shown = walk.flatMap(({ statements }) => statements);
  const page = statementsOf(read('../docs/nothing-unverified-starts.md'));
  expect(page.filter((statement) => !shown.includes(statement))).toEqual([]);
  expect(shown.filter((statement) => !page.includes(statement))).toEqual([]);
  expect(new Set(shown).size).toBe(shown.length);
});

test('each step of the walk is taken by a test', () => {
  const taken = Object.values(walks).flatMap((steps) => Object.keys(steps));
  const named = walk.map(({ step }) => step).filter((step) => step !== own && step !== notTried);
  expect(named.filter((step) => !taken.includes(step))).toEqual([]);
  expect(new Set(taken).size).toBe(taken.length);
});

test('what is not tried says so on the page', () => {
  const untried = walk.find(({ step }) => step === notTried)?.statements ?? [];
  expect(untried.filter((statement) => !statement.includes('not tried here'))).toEqual([]);
});

test('a sentence, a row and a block are one statement each', () => {
  expect(
    statementsOf(
      '# Head\n\nOne. Two\ngoes on: `x`. (Three.)\n\n- a: b\n- C; D\n\n| a |\n| --- |\n| b |\n\n```sh\nx\n\ny\n```\n\n    z\n',
    ),
  ).toEqual(['One.', 'Two goes on:', '`x`.', '(Three.)', 'a: b', 'C;', 'D', '| b |', '```sh x y ```', 'z']);
});
