import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verbs } from '../src/commands/index.ts';
import { type Stage, startStage } from './support/stage.ts';

const root = join(import.meta.dirname, '..');
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

interface Block {
  readonly page: string;
  readonly line: number;
  readonly steps: readonly { readonly command: string; readonly expected: readonly string[] }[];
}

/**
 * Every ```console block: lines with "$ " are typed, the lines after them are what must be printed, standard
 * error first.
 */
function blocksOf(page: string): readonly Block[] {
  const lines = readFileSync(join(root, page), 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    if (lines[at] !== '```console') {
      continue;
    }
    const start = at + 1;
    const end = lines.indexOf('```', start);
    const steps: { command: string; expected: string[] }[] = [];
    for (const line of lines.slice(start, end)) {
      if (line.startsWith('$ ')) {
        steps.push({ command: line.slice(2), expected: [] });
      } else {
        steps.at(-1)?.expected.push(line);
      }
    }
    blocks.push({ page, line: start, steps });
    at = end;
  }
  return blocks;
}

/** `[..]` stands for anything within a line, a line `...` for any lines. */
function pattern(expected: readonly string[]): RegExp {
  const parts = expected.map((line) =>
    line === '...'
      ? '(?:.*\\n)*?'
      : `${line
          .split('[..]')
          .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}\\n`,
  );
  return new RegExp(`^${parts.join('')}$`);
}

const sessions = pages
  .map((page) => [page, blocksOf(page)] as const)
  .filter(([, blocks]) => blocks.length > 0);

test.for(sessions)('%s prints what it promises, from the first block to the last', async ([page, blocks]) => {
  await using stage: Stage = await startStage();
  for (const block of blocks) {
    for (const step of block.steps) {
      const { exit, printed } = await stage.type(step.command);
      const shown = exit === 0 ? printed : `${printed}exit code ${exit}\n`;
      expect(shown, `${page}:${block.line} $ ${step.command}`).toMatch(pattern(step.expected));
    }
  }
});

test('README.md stays under 150 lines, and docs/verbs.md names every verb', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8').split('\n').length).toBeLessThan(150);
  const text = readFileSync(join(root, 'docs/verbs.md'), 'utf8');
  for (const verb of verbs.filter(({ hidden }) => !hidden)) {
    expect(text).toContain(`tcf ${verb.name}`);
  }
});

test('relative links of every page lead somewhere', () => {
  for (const page of [...pages, 'CONTRIBUTING.md', 'SECURITY.md']) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect(() => readFileSync(join(root, page, '..', target)), `${page} -> ${target}`).not.toThrow(
        /ENOENT/,
      );
    }
  }
});
