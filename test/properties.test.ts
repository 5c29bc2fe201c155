import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/* docs/properties.md and the code name the same properties. */

const root = join(import.meta.dirname, '..');
const documented = [
  ...readFileSync(join(root, 'docs/properties.md'), 'utf8').matchAll(/^\| `(tcf:[^`]+)` \|/gm),
].map(([, name = '']) => name);

/** String and template literals of the code that begin with the namespace, a hole of a template as `*`. */
const literals = [
  ...new Set(
    readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [
        ...readFileSync(join(root, 'src', name), 'utf8').matchAll(
          /(['`])(tcf:(?:[a-z-]+|\$\{[^}]+\})(?::[^'`\s]*)?)\1/g,
        ),
      ])
      .map(([, , text = '']) => text.replaceAll(/\$\{[^}]*\}/g, '*')),
  ),
];

/** Names that only the list of a scan spells (`listed` of assemble.ts). */
const counted = ['tcf:skipped:count', 'tcf:left-out:count', 'tcf:unowned-executable:count'];

const toPattern = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split(/\*|NAME/)
      .map((part) => part.replaceAll('.', '\\.'))
      .join('.+')}$`,
  );

test('each property that the code names is in the taxonomy', () => {
  expect(literals.length).toBeGreaterThan(40);
  expect(literals).not.toContain('tcf:*');
  const unknown = literals.filter((literal) => {
    const text = literal.endsWith(':') ? `${literal}*` : literal;
    return !documented.some((name) => toPattern(name).test(text) || toPattern(text).test(name));
  });
  expect(unknown).toEqual([]);
});

test('each property of the taxonomy is one that the code names', () => {
  expect(new Set(documented).size).toBe(documented.length);
  const gone = documented.filter(
    (name) =>
      !counted.includes(name) &&
      !literals.some((text) => toPattern(text).test(name) || toPattern(name).test(text)),
  );
  expect(gone).toEqual([]);
});

test('names have the characters that the taxonomy of CycloneDX allows', () => {
  for (const name of documented) {
    expect(name).toMatch(/^tcf(?::[A-Za-z0-9_ -]+)+$/);
  }
});
