import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Cataloger } from '../../src/catalogers/contract.ts';
import { catalogers } from '../../src/catalogers/index.ts';
import { runCataloger } from '../../src/catalogers/run.ts';
import { treeOf } from '../support/tree.ts';

/* The example of docs/make-it-yours.md is compiled and run as it stands there. */

const project = join(import.meta.dirname, '../..');
const page = readFileSync(join(project, 'docs/make-it-yours.md'), 'utf8');
const [example = '', row = ''] = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

test('the example compiles, and reads three gems and one that is none', async () => {
  const place = mkdtempSync(join(tmpdir(), 'tcf-example-'));
  try {
    const file = join(place, 'gem.ts');
    const source = join(project, 'src');
    const moved = example
      .replaceAll("from '../", `from '${source}/`)
      .replaceAll("from './", `from '${source}/catalogers/`);
    writeFileSync(file, moved);
    writeFileSync(join(place, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(place, 'tsconfig.json'),
      JSON.stringify({
        extends: join(project, 'tsconfig.json'),
        compilerOptions: { typeRoots: [join(project, 'node_modules/@types')] },
        include: [],
        files: ['gem.ts'],
      }),
    );
    const compiler = join(project, 'node_modules/typescript/bin/tsc');
    execFileSync(process.execPath, [compiler, '--noEmit', '--project', place], { stdio: 'pipe' });

    const { gem } = (await import(file)) as { readonly gem: Cataloger };
    const specification = (name: string) =>
      `Gem::Specification.new do |s|\n  s.name = "${name}"\n  s.version = "1.0"\nend\n`;
    const tree = treeOf(gem, {
      'usr/lib/ruby/specifications/rake-1.0.gemspec': specification('rake'),
      'usr/lib/ruby/specifications/json-1.0.gemspec': specification('json'),
      'usr/lib/ruby/specifications/racc-1.0.gemspec': specification('racc'),
      'usr/lib/ruby/specifications/bad-1.0.gemspec': 'no gem',
    });
    const { components, skipped } = runCataloger(gem, tree);
    expect(components.map(({ purl }) => purl)).toEqual([
      'pkg:gem/json@1.0',
      'pkg:gem/racc@1.0',
      'pkg:gem/rake@1.0',
    ]);
    expect(skipped).toEqual([
      { path: 'usr/lib/ruby/specifications/bad-1.0.gemspec', reason: 'names no gem' },
    ]);
    expect(catalogers.map(({ name }) => name)).not.toContain(gem.name);
  } finally {
    rmSync(place, { recursive: true });
  }
});

/** Each place that a newcomer has to touch, and the words by which it is found there. */
test.for([
  ['src/catalogers/index.ts', 'catalogersWith'],
  ['src/catalogers/unread/kinds.ts', 'gems of Ruby'],
  ['test/catalogers/laws.test.ts', 'const kinds'],
  ['test/catalogers/hidden.test.ts', 'const things'],
  ['test/catalogers/fixtures.test.ts', "'../../fixtures/catalogers'"],
] as const)('the page names %s, and what is to be added to is there', ([path, words]) => {
  expect(page).toContain(path.replace(/^test\/catalogers\//, ''));
  expect(readFileSync(join(project, path), 'utf8')).toContain(words);
});

test('the row of the page has the form of the rows in the laws', () => {
  const kinds = readFileSync(join(project, 'test/catalogers/laws.test.ts'), 'utf8');
  expect(row).toMatch(/^gem: \{\n {2}records: /);
  expect(kinds).toMatch(/^ {2}npm: \{\n {4}records: /m);
});
