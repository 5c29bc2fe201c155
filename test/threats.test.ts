import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/* docs/threats.md, the code and the tests name the same attacks. */

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const idsIn = (text: string) => new Set(text.match(/\bA-\d{1,3}\b(?![.\d])/g));

const page = read('docs/threats.md');
const rows = [...page.matchAll(/^\| (A-\d+) \| (.+) \| (.+) \| `(.+)` \| `(.+)` \|$/gm)].map(
  ([, id = '', attack = '', stop = '', code = '', proof = '']) => ({ id, attack, stop, code, proof }),
);

/** Where somebody may speak of an attack. This file speaks of none. */
const named = ['src', 'test', 'fixtures', 'docs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file}`)
    .filter((file) => /\.(?:ts|md|yaml)$/.test(file) && file !== 'docs/threats.md')
    .flatMap((file) => [...idsIn(read(file))].map((id) => ({ file, id }))),
);

test('the page is read', () => {
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.map(({ id }) => id)).toEqual([...new Set(rows.map(({ id }) => id))]);
  expect(new Set(rows.map(({ id }) => id))).toEqual(idsIn(page));
});

test('every attack that code or tests name stands on the page', () => {
  const known = new Set(rows.map(({ id }) => id));
  expect(named.filter(({ id }) => !known.has(id))).toEqual([]);
});

test.for(rows.map((row) => [row.id, row] as const))(
  '%s: what stops it is there, and a test names it',
  ([id, row]) => {
    expect(existsSync(join(root, row.code)), row.code).toBe(true);
    expect(row.code).toMatch(/^src\//);
    expect(row.proof).toMatch(/^(?:test\/.+\.test\.ts|fixtures\/.+\.yaml)$/);
    expect(idsIn(read(row.proof)), row.proof).toContain(id);
  },
);
