import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, test } from 'vitest';
import { declareVerb } from '../../src/commands/declare.ts';
import { examples } from '../../src/commands/examples.ts';
import { verbs } from '../../src/commands/index.ts';
import type { Verb, VerbEntry } from '../../src/commands/verb.ts';
import { errorCodes, errorPage, formatErrorPage } from '../../toolchain/error-codes.ts';
import { manualPages } from '../../toolchain/man.ts';
import { folder, type } from '../support/host.ts';

/* What tcf says of itself: help, manual pages, the page of error codes. */

const place = folder();
afterAll(() => place[Symbol.dispose]());

async function calls(
  entries: readonly VerbEntry[] = verbs,
  path: readonly string[] = [],
): Promise<[string, Verb][]> {
  const found: [string, Verb][] = [];
  for (const { hidden, load, name } of entries.filter((entry) => !entry.hidden)) {
    expect(hidden).toBeUndefined();
    const loaded = await load();
    const own = [...path, name];
    found.push(
      ...('verb' in loaded
        ? [[own.join(' '), loaded.verb] as [string, Verb]]
        : await calls(loaded.actions, own)),
    );
  }
  return found;
}
const all = await calls();

test('every verb and action has an example, and no example is of another', () => {
  expect(Object.keys(examples).sort()).toEqual(all.map(([path]) => path).sort());
});

describe.for(all)('tcf %s', ([path, verb]) => {
  test('shows its examples first, and no default that nobody chose', async () => {
    const { exit, out } = await type([...path.split(' '), '--help'], { cwd: place.path });
    expect(exit).toBe(0);
    expect(out).not.toMatch(/\(default: (?:\[|\{|none|undefined|true|false)/);
    if (verb.flags === undefined) {
      const [usage, first] = out.split('\n\n');
      expect(usage).toMatch(/^Usage: tcf /);
      expect(first).toMatch(/^Examples:\n {2}tcf /);
      expect(out.match(/--quiet/g)).toHaveLength(1);
    }
  });

  test.skipIf(verb.flags !== undefined)('its examples are calls that it takes', () => {
    for (const [call] of examples[path] ?? []) {
      expect(call.startsWith(path)).toBe(true);
      const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
      declareVerb(command, verb);
      const words = call
        .slice(path.length)
        .trim()
        .split(/\s+/)
        .filter((word) => word !== '');
      expect(() => command.parse(words, { from: 'user' })).not.toThrow();
    }
  });
});

describe('the manual pages', async () => {
  const pages = await manualPages();

  test('there is one for each verb, with every option of its help', async () => {
    expect([...pages.keys()].sort()).toEqual(
      ['tcf.1', ...verbs.filter(({ hidden }) => !hidden).map(({ name }) => `tcf-${name}.1`)].sort(),
    );
    for (const [path] of all) {
      const { out } = await type([...path.split(' '), '--help'], { cwd: place.path });
      const page = pages.get(`tcf-${path.split(' ')[0]}.1`)?.replaceAll('\\-', '-') ?? '';
      for (const [, option = ''] of out.matchAll(/^ +(?:-\w, )?(--[a-z][\w-]*)/gm)) {
        expect(`${path} ${option === '--help' || page.includes(option)}`).toBe(`${path} true`);
      }
    }
  });

  test.skipIf(!existsSync('/usr/bin/mandoc'))('mandoc warns of nothing', () => {
    for (const [name, page] of pages) {
      writeFileSync(join(place.path, name), page);
    }
    const names = [...pages.keys()];
    expect(
      execFileSync('mandoc', ['-Tlint', '-W', 'warning', ...names], { cwd: place.path, encoding: 'utf8' }),
    ).toBe('');
  });
});

test('docs/errors.md names every error code of the code', () => {
  const codes = errorCodes();
  expect(codes.size).toBeGreaterThan(200);
  expect(codes.get('host.cwd')?.exits).toEqual(new Set([2]));
  // bash toolchain/run.sh toolchain/error-codes.ts writes it again.
  expect(readFileSync(errorPage, 'utf8')).toBe(formatErrorPage(codes));
});
