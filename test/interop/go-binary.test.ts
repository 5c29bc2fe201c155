import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { goBinary } from '../../src/catalogers/go-binary.ts';
import { catalogFiles } from '../support/elf.ts';
import { folder } from '../support/host.ts';
import { run } from './support.ts';

/* The modules of real programs, as `go version -m` lists them. */

/** `PATH VERSION SUM`, the replacement in place of what it replaces; `(devel)` is no version. */
function listed(text: string): readonly string[] {
  const modules: string[] = [];
  for (const line of text.split('\n')) {
    const [kind, ...words] = line.trim().split('\t');
    const [path = '', version = '', sum = ''] = words;
    const said = [path, version.startsWith('(') ? '' : version, sum].join(' ');
    if (kind === 'mod' || kind === 'dep') {
      modules.push(said);
    }
    if (kind !== '=>') {
      continue;
    }
    const replaced = modules.pop() ?? '';
    modules.push(path.startsWith('.') ? `${replaced.split(' ')[0]}  ` : said);
  }
  return modules.sort();
}

async function compare(place: string, file: string): Promise<number> {
  const { code, text } = await run(place, 'go', ['version', '-m', file]);
  expect(code, text).toBe(0);
  const { components, skipped } = catalogFiles(goBinary, { 'usr/bin/program': readFileSync(file) });
  expect(skipped).toEqual([]);
  const [program] = components;
  const [standard, ...modules] = program?.components ?? [];
  const said = [...(/^\tmod\t/m.test(text) ? [program] : []), ...modules].map((each) => {
    const sum = each?.properties?.find(({ name }) => name === 'tcf:go:sum')?.value ?? '';
    return [each?.name, each?.version ?? '', sum].join(' ');
  });
  expect([...said].sort()).toEqual(listed(text));
  const go = / (go\S+)$/m.exec(text.slice(0, text.indexOf('\n')))?.[1] ?? '';
  expect(standard?.name).toBe('stdlib');
  expect(`go${standard?.version}`).toBe(go.replace(/-.*/, ''));
  expect(program?.properties).toContainEqual({
    name: 'tcf:go:package',
    value: /^\tpath\t(.*)$/m.exec(text)?.[1],
  });
  return modules.length;
}

test('of programs that go built for the other tests', async () => {
  using here = folder();
  const programs = readdirSync(inject('parts')).map((name) => join(inject('parts'), name));
  const counts: number[] = [];
  for (const program of programs) {
    counts.push(await compare(here.path, program));
  }
  expect(programs.length).toBeGreaterThan(5);
  expect(Math.max(...counts)).toBeGreaterThan(100);
});

describe.for([
  ['as usual', [], {}],
  ['without symbols and build-id', ['-trimpath', '-ldflags=-s -w -buildid='], {}],
  ['to lie anywhere', ['-buildmode=pie'], {}],
  ['by the linker of C', ['-ldflags=-linkmode=external'], { CGO_ENABLED: '1' }],
  ['for 32 bits', [], { GOARCH: '386' }],
  ['for another order of bytes', [], { GOARCH: 's390x' }],
  ['for a machine with other pages', [], { GOARCH: 'arm64' }],
  ['for Windows', [], { GOOS: 'windows', GOARCH: 'amd64' }],
  ['for macOS', [], { GOOS: 'darwin', GOARCH: 'arm64' }],
] as const)('of a program built %s', ([, flags, env]) => {
  test('with modules that were replaced', async () => {
    using here = folder();
    const files: Readonly<Record<string, string>> = {
      'tool/go.mod':
        'module example.org/tool\ngo 1.22\nrequire (\nexample.org/near v1.0.0\nexample.org/far v1.0.0\n)\nreplace example.org/near => ../near\nreplace example.org/far => golang.org/x/sync v0.7.0\n',
      'tool/main.go':
        'package main\nimport (\n"debug/buildinfo"\n"example.org/near"\n"example.org/far/errgroup"\n)\nfunc main() { near.Do(); new(errgroup.Group).Wait(); buildinfo.ReadFile("x") }\n',
      'near/go.mod': 'module example.org/near\ngo 1.22\n',
      'near/near.go': 'package near\nfunc Do() {}\n',
    };
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(here.path, path, '..'), { recursive: true });
      writeFileSync(join(here.path, path), content);
    }
    const program = join(here.path, 'program');
    const args = ['build', '-mod=mod', ...flags, '-o', program, '.'];
    const built = await run(join(here.path, 'tool'), 'go', args, env);
    expect(built.code, built.text).toBe(0);
    expect(await compare(here.path, program)).toBe(2);
  });
});
