import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { ownerOf, partsOf } from './graph.ts';
import { must, run, tcf } from './support.ts';

/* torch and triton for another machine than this one, as pip and uv describe the environment. */

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Truth {
  readonly packages: readonly string[];
  readonly edges: readonly string[];
  readonly missing: readonly string[];
}

const recipe = join(import.meta.dirname, 'build-torch-image.sh');
const sum = createHash('sha256').update(readFileSync(recipe)).digest('hex').slice(0, 12);
const image = `localhost/tcf-e2e-torch:${sum}`;
const normal = (name: string) => name.toLowerCase().replace(/[-_.]+/g, '-');
let bom: {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
};
let truth: Truth;

beforeAll(async () => {
  const python = join(inject('work'), 'torch/env/bin/python');
  if ((await run('podman', ['image', 'exists', image])).code !== 0 || !existsSync(python)) {
    await must('bash', [recipe, inject('work'), image]);
  }
  const script = join(import.meta.dirname, 'python-truth.py');
  truth = JSON.parse(await must('python3', [script, python, 'aarch64'])) as Truth;
  const ran = await tcf(['sbom', `containers-storage:${image}`, '--platform', 'linux/arm64']);
  expect(ran.code, ran.stderr).toBe(0);
  bom = JSON.parse(ran.stdout) as typeof bom;
});

const distributions = () =>
  bom.components.filter((each) => each.purl?.startsWith('pkg:pypi/') && ownerOf(each) === undefined);

test('has the packages that uv and pip list, no one more, no one less', async () => {
  const uv = join(inject('work'), 'torch/tool/bin/uv');
  const list = ['pip', 'list', '--python', join(inject('work'), 'torch/env/bin/python'), '--format', 'json'];
  const listed = JSON.parse(await must(uv, list)) as readonly { name: string; version: string }[];
  const found = distributions().map(({ name, version }) => `${normal(name)} ${version}`);
  expect([...found].sort()).toEqual(truth.packages);
  expect([...found].sort()).toEqual(listed.map(({ name, version }) => `${normal(name)} ${version}`).sort());
  expect(found).toContain('torch 2.9.1');
});

test('has the edges of the requirement graph for that machine', () => {
  const names = new Map(distributions().map((each) => [each['bom-ref'], normal(each.name)]));
  const found = bom.dependencies.flatMap(({ ref, dependsOn }) =>
    dependsOn.flatMap((target) =>
      names.has(ref) && names.has(target) ? `${names.get(ref)} -> ${names.get(target)}` : [],
    ),
  );
  expect([...found].sort()).toEqual(truth.edges);
  // Only for x86_64 does torch ask for triton and for CUDA.
  expect(found).not.toContain('torch -> triton');
});

test('says what is asked for and not there', () => {
  const found = distributions().flatMap(({ name, properties = [] }) =>
    properties
      .filter((each) => each.name === 'tcf:python:requirement:missing')
      .map(({ value }) => `${normal(name)} -> ${normal(/^[\w.-]+/.exec(value)?.[0] ?? '')}`),
  );
  expect([...found].sort()).toEqual(truth.missing);
  expect(found).toEqual(['torch -> networkx']);
});

test('finds in triton what it finds in it for another machine, and leaves nothing unowned', () => {
  const [triton] = distributions().filter(({ name }) => name === 'triton');
  const parts = partsOf(bom.components, triton).map(({ name, version }) => `${name} ${version}`);
  expect(parts).toContain('llvm 22.0.0git+7d5de303');
  expect(parts).toContain('ptxas 12.8.93');
  expect(bom.properties?.filter(({ name }) => name === 'tcf:unowned-executable') ?? []).toEqual([]);
});
