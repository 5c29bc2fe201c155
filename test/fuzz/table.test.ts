import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogers } from '../../src/catalogers/index.ts';
import { root } from './files.ts';
import { mutant } from './mutate.ts';
import { randomOf } from './random.ts';
import { endOf } from './target.ts';
import { elsewhere, targets } from './targets/index.ts';
import { progressOf, work } from './worker.ts';

/*
 * The table of test/fuzz: nothing that reads a stranger's bytes is missing, and what it changes was whole
 * before.
 */

const source = join(root, 'src');
/** By the grammar of names in docs/architecture.md these read text or bytes into something. */
const reader = /^export (?:async )?(?:function\*? |const )((?:parse|decode|draft|lint)[A-Z]\w*)/gm;

const exported = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) =>
    [...readFileSync(join(source, file), 'utf8').matchAll(reader)].map(([, name]) => `${file} ${name}`),
  );
const covered = new Set(targets.flatMap(({ covers }) => covers));

test('every exported reader of foreign bytes is fuzzed, or stands in the table with a reason', () => {
  expect(exported.filter((name) => !covered.has(name) && !(name in elsewhere))).toEqual([]);
});

test('what the table names is there', () => {
  const all = readdirSync(source, { recursive: true, encoding: 'utf8' });
  for (const name of [...covered, ...Object.keys(elsewhere)]) {
    const [file = '', symbol = ''] = name.split(' ');
    if (file === 'catalogers') {
      continue;
    }
    expect(all, name).toContain(file);
    expect(readFileSync(join(source, file), 'utf8'), name).toMatch(
      new RegExp(`export (?:async )?(?:function\\*? |const )${symbol}\\b`),
    );
  }
  expect(Object.keys(elsewhere).filter((name) => covered.has(name))).toEqual([]);
});

test('every cataloger is fuzzed', () => {
  const missing = catalogers.filter(({ name }) => !covered.has(`catalogers ${name}`));
  expect(missing.map(({ name }) => `catalogers ${name}`).filter((name) => !(name in elsewhere))).toEqual([]);
});

describe('a seed is what its reader takes', () => {
  test.for(targets.map((target) => [target.name, target] as const))('%s', async ([, { seeds }]) => {
    expect(seeds.length).toBeGreaterThan(0);
    for (const seed of seeds) {
      const end = await endOf(seed, Buffer.from(seed.bytes));
      expect(end).toMatchObject({ kind: 'value' });
      if (end.kind === 'value') {
        expect(end.value).not.toContainEqual(['ok', false]);
      }
    }
  });
});

describe('the machine finds what it is made for', () => {
  const bytes = Buffer.from(JSON.stringify({ uid: 1, list: ['a'], deep: { text: 'x', bytes: 'TWFu' } }));
  const mutants = (count: number) =>
    Array.from({ length: count }, (_, run) => Buffer.from(mutant(bytes, [bytes], randomOf(run))));

  test('the same number gives the same input', () => {
    expect(mutants(50)).toEqual(mutants(50));
    expect(new Set(mutants(200).map(String)).size).toBeGreaterThan(150);
  });

  test('a member becomes an object where a number was', () => {
    expect(
      mutants(2000)
        .map(String)
        .some((text) => text.includes('"uid":{}')),
    ).toBe(true);
  });

  test('a foreign exception is a fault, a refusal is not', async () => {
    const faulty = { bytes, read: (input: Uint8Array) => Number(JSON.parse(String(input)).uid) };
    const ends = await Promise.all(mutants(2000).map((input) => endOf(faulty, input)));
    expect(ends.some(({ kind }) => kind === 'fault')).toBe(true);
  });

  test('each target is run, and says so', async () => {
    const seen: number[] = [];
    const job = {
      seed: 7,
      runs: 2,
      first: 0,
      until: Number.POSITIVE_INFINITY,
      targets: targets.map((_, at) => at),
    };
    await work(job, progressOf(new SharedArrayBuffer(64)), ({ faults, runs, target }) => {
      seen.push(target);
      expect(runs).toBe(2);
      expect(faults).toEqual([]);
    });
    expect(seen).toEqual(job.targets);
  });
});
