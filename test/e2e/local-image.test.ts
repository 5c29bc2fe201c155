import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must, run } from './support.ts';
import { openStage, type Stage } from './ways/stage.ts';

/* The loop without a registry: an image that was built here, signed here with a key, and started here. */

let stage: Stage;
const name = 'localhost/tcf-way-local';
const build = (content: string) =>
  must('bash', [
    '-c',
    `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin; cp /bin/busybox $m/bin/sh; echo ${content} >$m/content; buildah umount $c >/dev/null; buildah commit --quiet --rm $c ${name} >/dev/null`,
  ]);
const policy = ['--policy', 'local.yaml'];
const here = (...args: readonly string[]) => stage.here(...args);
const start = () =>
  here('run', ...policy, '--rm', `containers-storage:${name}`, '/bin/sh', '-c', 'echo started');
const plain = () =>
  run(
    'podman',
    ['--hooks-dir', join(stage.folder, 'hooks'), 'run', '--rm', name, '/bin/sh', '-c', 'echo started'],
    { env: stage.env },
  );

beforeAll(async () => {
  stage = await openStage('local');
  const scope = (key: string) =>
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: ${key}.pub } }\nscopes: [{ match: "localhost", require: { signed: { by: [team] } } }]\n`;
  writeFileSync(join(stage.folder, 'local.yaml'), scope('team'));
  await here('keygen', '--output-key-prefix', 'other');
  writeFileSync(join(stage.folder, 'other.yaml'), scope('other'));
  await build('one');
  expect(await here('hook', 'install', 'podman', ...policy, '--hooks-dir', 'hooks')).toMatchObject({
    code: 0,
  });
});
afterAll(async () => {
  await here('hook', 'uninstall', 'podman', '--hooks-dir', 'hooks');
  await stage[Symbol.asyncDispose]();
});

test('unsigned, it does not start', async () => {
  expect(await start()).toMatchObject({ code: 125, stdout: '' });
  const ran = await plain();
  expect(ran.code).not.toBe(0);
  expect(ran.stderr).toMatch(/was built or loaded here/);
});

test('signed with a key, it starts by tcf and by podman, and tcf says that it never was in a registry', async () => {
  const signed = await here('sign', `containers-storage:${name}`, '--key', 'team.key', '--no-sbom');
  expect(signed.code, signed.stderr).toBe(0);
  const verified = await here('verify', `containers-storage:${name}`, ...policy);
  expect(verified).toMatchObject({ code: 0, stderr: expect.stringMatching(/never was in a registry/) });
  expect(await start()).toMatchObject({ code: 0, stdout: 'started\n' });
  const ran = await plain();
  expect(ran.stdout, ran.stderr).toBe('started\n');
});

test('with its SBOM', async () => {
  expect(await here('sbom', `containers-storage:${name}`, '-o', 'bom.json')).toMatchObject({ code: 0 });
  const signed = await here('sign', `containers-storage:${name}`, '--key', 'team.key', '--sbom', 'bom.json');
  expect(signed.code, signed.stderr).toBe(0);
  expect(signed.stderr).toMatch(/attached the SBOM attestation/);
});

test.for<readonly [string, readonly string[], number, RegExp]>([
  ['another key', ['verify', 'IMAGE', '--policy', 'other.yaml'], 1, /./],
  ['keyless signing', ['sign', 'IMAGE', '--no-sbom'], 3, /signed with a key/],
  [
    'an SBOM that is made meanwhile',
    ['sign', 'IMAGE', '--key', 'team.key'],
    3,
    /tcf sbom containers-storage:.* -o/,
  ],
  [
    'an image of a registry',
    ['sign', 'REGISTRY', '--key', 'team.key', '--no-sbom'],
    3,
    /has no name below localhost/,
  ],
  [
    'an image that is not there',
    ['verify', 'containers-storage:localhost/nothing', '--policy', 'local.yaml'],
    2,
    /has no image/,
  ],
])('no: %s', async ([, args, code, message]) => {
  await run('podman', ['pull', '--quiet', '--tls-verify=false', stage.good]);
  const words = args.map((word) =>
    word === 'IMAGE'
      ? `containers-storage:${name}`
      : word === 'REGISTRY'
        ? `containers-storage:${stage.good}`
        : word,
  );
  const ran = await here(...words);
  expect(ran.stdout + ran.stderr).toMatch(message);
  expect(ran.code).toBe(code);
});

test('what was built anew under its name does not start', async () => {
  await build('two');
  expect(await start()).toMatchObject({ code: 125, stdout: '' });
  const ran = await plain();
  expect(ran.code).not.toBe(0);
  expect(ran.stdout).toBe('');
});
