import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countWays, waysIn } from '../../support/ways-page.ts';
import type { Outcome, Stage, Way } from './stage.ts';

const page = join(import.meta.dirname, '../../../docs/ways-to-start.md');

/**
 * Tries each way, and holds the section of docs/ways-to-start.md against what happened. `UPDATE_GOLDEN=1`
 * writes it.
 *
 * @param missing why the runtime cannot be had here: each row is then skipped and says so.
 */
export function tryWays(heading: string, stage: () => Stage, ways: readonly Way[], missing?: string): void {
  const outcomes = new Map<string, Outcome>();
  test.for(ways.map((way) => [way.name, way] as const))(`${heading}: %s`, async ([name, way], context) => {
    if (missing !== undefined) {
      outcomes.set(name, `not tried here: ${missing}`);
      context.skip(`not tried here: ${missing}`);
    }
    stage().hasRun();
    const ran = await way.go();
    const hasRun = stage().hasRun();
    if (way.gap === undefined) {
      expect(hasRun, `it ran: ${ran.stdout}${ran.stderr}`).toBe(false);
      expect(ran.code, `it was not refused: ${ran.stdout}${ran.stderr}`).not.toBe(0);
      expect(ran.stdout + ran.stderr, 'and not by tcf').toMatch(/tcf/);
      outcomes.set(name, 'refused');
    } else {
      expect(hasRun || ran.code === 0, `the gap is closed: ${ran.stdout}${ran.stderr}`).toBe(true);
      outcomes.set(name, `gap: ${way.gap}`);
    }
  });

  test(`${heading}: docs/ways-to-start.md has the table`, async (context) => {
    const rows = ways.map(({ name }) => `| ${name} | ${outcomes.get(name) ?? 'not tried'} |`);
    const section = [`## ${heading}`, '', '| way | outcome |', '| --- | --- |', ...rows, ''].join('\n');
    const text = readFileSync(page, 'utf8');
    if (process.env['UPDATE_GOLDEN'] === '1') {
      writeFileSync(page, withCount(withSection(text, heading, section)));
    } else if (missing === undefined) {
      expect(text).toContain(section);
    } else {
      // The page was made where the runtime is; here it has the same rows.
      const there = waysIn(text).filter((way) => way.section === heading);
      expect(there.map(({ name }) => name)).toEqual(ways.map(({ name }) => name));
      await context.annotate(`${ways.length} ways were not tried here: ${missing}`, 'warning');
    }
  });
}

const withCount = (text: string): string => text.replace(/^\d+ ways: .*$/m, countWays(text));

function withSection(text: string, heading: string, section: string): string {
  const sections = text.split(/^(?=## )/m);
  const at = sections.findIndex((one) => one.startsWith(`## ${heading}\n`));
  if (at < 0) {
    return `${text.trimEnd()}\n\n${section}`;
  }
  return sections
    .map((one, index) => (index === at ? `${section}${index === sections.length - 1 ? '' : '\n'}` : one))
    .join('');
}
