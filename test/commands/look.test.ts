import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScene, type Scene } from '../support/scene.ts';

/* What is in an image: tcf report, tree, licenses, and tcf sbom on a terminal. */

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ signed: 'with its SBOM' });
  await scene.tcf('sbom', scene.name, '--allow-http', '-o', 'bom.json');
});
afterAll(() => scene[Symbol.asyncDispose]());
const pageOf = (file: string) => readFileSync(join(scene.path, file), 'utf8');

test('a report of an image has the verdict, the signer and the LLVM; one of an SBOM says that nothing was proven', async () => {
  const made = await scene.tcf(
    'report',
    scene.name,
    '--allow-http',
    '--policy',
    'policy.yaml',
    '-o',
    'a.html',
  );
  expect(made).toMatchObject({
    exit: 0,
    out: '',
    err: expect.stringMatching(/^wrote a page of 9 components, .* to a\.html\n$/),
  });
  const page = pageOf('a.html');
  expect(page).toContain('✓ allowed by the policies here');
  expect(page).toContain('<b>Signature</b> by');
  expect(page).toContain('f6ded0be897e');
  expect(page).toContain('Not looked for: there is no database of vulnerabilities');
  expect(await scene.tcf('report', 'bom.json', '-o', 'b.html')).toMatchObject({ exit: 0 });
  expect(pageOf('b.html')).toContain('? not verified');
});

test('a report of a denied image is made, and says why', async () => {
  scene.write('strict.yaml', scene.policy('signed: { by: [team], threshold: 1, notBefore: 2100-01-01 }'));
  const made = await scene.tcf(
    'report',
    scene.name,
    '--allow-http',
    '--policy',
    'strict.yaml',
    '-o',
    'c.html',
  );
  expect(made.exit, made.err).toBe(0);
  expect(pageOf('c.html')).toContain('✗ denied by the policies here');
  expect(pageOf('c.html')).toContain('the image has no signature by a trusted signer');
});

test('a report says what changed since a baseline', async () => {
  const made = await scene.tcf(
    'report',
    scene.name,
    '--allow-http',
    '--baseline',
    'bom.json',
    '-o',
    'd.html',
  );
  expect(made.exit, made.err).toBe(0);
  expect(pageOf('d.html')).toContain('9 components are unchanged, and nothing else is there');
});

test('a page is not written to a terminal, and where it cannot be written nobody is asked', async () => {
  expect(await scene.tcfWith({ terminal: true }, 'report', 'bom.json')).toMatchObject({
    exit: 3,
    out: '',
    err: expect.stringContaining('tcf report bom.json -o report.html'),
  });
  const asked = scene.registry.requests.length;
  const lost = await scene.tcf('report', scene.name, '--allow-http', '-o', 'no/such/folder.html');
  expect(lost.exit).toBe(3);
  expect(scene.registry.requests.length).toBe(asked);
});

test('a report of nothing is no page', async () => {
  expect(await scene.tcf('report', `${scene.name}:none`, '--allow-http', '-o', 'e.html')).toMatchObject({
    exit: 2,
  });
  expect(() => pageOf('e.html')).toThrow(/ENOENT/);
});

test('on a terminal tcf sbom prints a page; in a pipe, with -o or --format it writes the SBOM', async () => {
  const seen = await scene.tcfWith({ terminal: true }, 'sbom', scene.name, '--allow-http');
  expect(seen.out).toMatch(/^dev {2}linux\/amd64.*\n9 components/);
  expect(seen.out).toContain(`tcf report ${scene.name} -o report.html`);
  const piped = await scene.tcf('sbom', scene.name, '--allow-http');
  expect(JSON.parse(piped.out)).toMatchObject({ bomFormat: 'CycloneDX' });
  const asked = await scene.tcfWith(
    { terminal: true },
    'sbom',
    scene.name,
    '--allow-http',
    '--format',
    'cyclonedx-json',
  );
  expect(asked.out).toBe(piped.out);
});

test('tree and licenses of an image and of its SBOM are the same', async () => {
  for (const verb of ['tree', 'licenses'] as const) {
    for (const form of [[], ['--json']]) {
      const ofImage = await scene.tcf(verb, scene.name, '--allow-http', ...form);
      expect(ofImage.exit, ofImage.err).toBe(0);
      expect((await scene.tcf(verb, 'bom.json', ...form)).out).toBe(ofImage.out);
    }
  }
});

test('why: who needs it, and no where nothing has the name', async () => {
  expect(await scene.tcf('tree', 'bom.json', '--why', 'llvm')).toMatchObject({
    exit: 0,
    out: 'llvm 22.0.0git+f6ded0be (github)\n└─ triton 3.6.0 (pypi)\n',
  });
  expect(await scene.tcf('tree', 'bom.json', '--why', 'llmv')).toMatchObject({
    exit: 1,
    out: '',
    err: 'tcf: nothing in "bom.json" is called "llmv"; did you mean "llvm"?\n',
  });
});

test.for([
  ['an order that is none', ['tree', 'bom.json', '--by', 'size'], '--by does not take "size"'],
  ['a depth that is none', ['tree', 'bom.json', '--depth', '-1'], 'is not a number of levels'],
  ['an SBOM of another kind', ['licenses', 'policy.yaml'], 'is not well-formed JSON'],
] as const)('%s is refused', async ([, args, said]) => {
  const called = await scene.tcf(...args);
  expect(called.exit).toBeGreaterThan(1);
  expect(called.err).toContain(said);
});
