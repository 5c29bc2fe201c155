import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stage, startStage } from './support/stage.ts';

/* The examples of docs/library.md, run as they stand by somebody who installed the package. */

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/library.md'), 'utf8');
const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
  mkdirSync(join(stage.path, 'node_modules'));
  symlinkSync(root, join(stage.path, 'node_modules/tcf'));
  await stage.type('tcf keygen --output-key-prefix team');
});
afterAll(() => stage[Symbol.asyncDispose]());

async function run(code: string): Promise<string> {
  const file = join(stage.path, 'example.ts');
  writeFileSync(
    file,
    code.replaceAll('localhost:5000', stage.registry.host.replace('127.0.0.1', 'localhost')),
  );
  const env = { HOME: join(stage.path, 'home'), PATH: '/usr/bin:/bin', COSIGN_PASSWORD: 'demo' };
  const ran = await promisify(execFile)(process.execPath, [file], { cwd: stage.path, env });
  return ran.stdout;
}

test('an SBOM in six lines', async () => {
  expect(await run(examples[0] ?? '')).toMatch(/^\d+ components\n$/);
});

test('scan, sign and verify', async () => {
  expect(await run(examples[1] ?? '')).toBe('triton-dev 2 allow\n');
});
