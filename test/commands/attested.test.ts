import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openScene, type Scene } from '../support/scene.ts';

/*
 * tcf sbom --attested and tcf diff --attested: the SBOM that somebody signed, and whom the policy trusts with
 * it.
 */

let scene: Scene;

beforeEach(async () => {
  scene = await openScene({
    keys: ['team', 'stranger'],
    policies: {
      'signed.yaml': 'signed: { by: [team] }',
      'sbom.yaml': 'signed: { by: [team] }, sbom: { by: [team] }',
      'stranger.yaml': 'signed: { by: [team] }, sbom: { by: [stranger] }',
    },
    signed: 'with its SBOM',
  });
});
afterEach(() => scene[Symbol.asyncDispose]());

const attested = (policy: string, ...more: readonly string[]) =>
  scene.tcf('sbom', scene.pinned, '--attested', '--policy', policy, '--allow-http', ...more);

test('the document comes back as it was signed', async () => {
  const made = await scene.tcf('sbom', `docker://${scene.pinned}`, '--allow-http');
  const ran = await attested('sbom.yaml');
  expect(ran.err).toBe('');
  expect(ran).toMatchObject({ exit: 0, out: made.out });
});

test.for([
  ['who asks nobody for an SBOM cannot be told one', 'signed.yaml', 2, 'trusts anybody with its SBOM'],
  [
    'an SBOM by another than the policy wants is a no',
    'stranger.yaml',
    1,
    'no SBOM of this image is attested',
  ],
] as const)('%s', async ([, policy, exit, message]) => {
  const ran = await attested(policy);
  expect(ran).toMatchObject({ exit, out: '' });
  expect(ran.err).toContain(message);
});

test.for([
  ['--format', 'table'],
  ['--spec-version', '1.7'],
  ['--author', 'Ann'],
  ['--support-end', '2031-12-31'],
  ['--nested'],
])('%s is about a new SBOM', async (args) => {
  const ran = await attested('sbom.yaml', ...args);
  expect(ran).toMatchObject({ exit: 3, out: '' });
  expect(ran.err).toContain('--attested gives the signed one');
});

test('a policy without --attested is asked wrongly', async () => {
  const ran = await scene.tcf('sbom', scene.pinned, '--policy', 'sbom.yaml', '--allow-http');
  expect(ran).toMatchObject({ exit: 3, err: expect.stringContaining('with --attested only') });
});

test('tcf diff compares what was attested, and a denied image with nothing', async () => {
  await attested('sbom.yaml', '-o', 'old.json');
  const file = join(scene.path, 'old.json');
  const sbom = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...sbom, components: sbom.components.slice(1), dependencies: [] }));
  const diff = (policy: string) =>
    scene.tcf(
      'diff',
      'old.json',
      scene.pinned,
      '--attested',
      '--policy',
      policy,
      '--exit-code',
      '--allow-http',
    );
  const ran = await diff('sbom.yaml');
  expect(ran.exit).toBe(1);
  expect(ran.out).toContain('added: 1');
  const denied = await diff('stranger.yaml');
  expect(denied).toMatchObject({ exit: 1, out: '' });
  expect(denied.err).toContain('denied');
});
