import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, testHost } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

let registry: TestRegistry;
const place = folder();

beforeAll(async () => {
  registry = await startRegistry();
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'old' });
  const llvm = '1f126a6dea50d185c0781743a667390037ae88bd';
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'new', llvm });
});

afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

async function tcf(...args: readonly string[]) {
  const host = testHost({ cwd: place.path });
  const exit = await main([...args, '--allow-http'], host);
  return { exit, out: host.out(), err: host.err() };
}

const image = (tag: string) => `${registry.host}/dev:${tag}`;

test('an image and the SBOM that was written of it are the same', async () => {
  await tcf('sbom', image('old'), '-o', 'old.json');
  const ran = await tcf('diff', 'old.json', image('old'), '--exit-code');
  expect(ran).toMatchObject({ exit: 0, err: '' });
  expect(ran.out).toContain('unchanged: ');
  expect(ran.out).not.toContain('~');
});

test('a moved pin is told, and is a failure only where that was asked for', async () => {
  const plain = await tcf('diff', image('old'), image('new'));
  expect(plain).toMatchObject({ exit: 0 });
  expect(plain.out).toContain('the core LLVM moved: f6ded0be');
  expect(await tcf('diff', image('old'), image('new'), '--exit-code')).toMatchObject({ exit: 1 });
});

test('Markdown and JSON are products of their own', async () => {
  expect((await tcf('diff', image('old'), image('new'), '--markdown')).out).toMatch(/^## /);
  const { out } = await tcf('diff', image('old'), image('new'), '--json');
  expect(JSON.parse(out)).toMatchObject({ format: 'tcf.diff/1' });
});

test.for([
  ['two formats', ['a.json', 'a.json', '--json', '--markdown'], 3, 'ask for two documents at once'],
  ['no JSON', ['broken.json', 'broken.json'], 2, 'the SBOM "broken.json" is not well-formed JSON'],
  ['another format', ['spdx.json', 'spdx.json'], 2, 'the SBOM "spdx.json" is not a CycloneDX document'],
  ['neither file nor image', ['Not An Image', 'a.json'], 3, 'Not An Image'],
  ['one side only', ['broken.json'], 3, "missing required argument 'new'"],
] as const)('%s', async ([, args, exit, message]) => {
  writeFileSync(join(place.path, 'broken.json'), '{"bomFormat": ');
  writeFileSync(join(place.path, 'spdx.json'), '{"spdxVersion": "SPDX-2.3"}');
  const ran = await tcf('diff', ...args);
  expect(ran.exit).toBe(exit);
  expect(ran.out).toBe('');
  expect(ran.err).toContain(message);
});
