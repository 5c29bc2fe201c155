import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { must, run } from './support.ts';
import { openStage, type Stage } from './ways/stage.ts';

/* The loop without a registry: an image that was built here, signed here with a key, and started here. */

let stage: Stage;
const name = 'localhost/tcf-way-local';
const build = (content: string) =>
  must('bash', [
    '-c',
    `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin $m/tmp $m/root $m/etc; cp /bin/busybox $m/bin/sh; for applet in cat sleep echo uname mkdir touch ls id getent awk grep test env ps; do ln $m/bin/sh $m/bin/$applet; done; echo root:x:0:0:root:/root:/bin/sh >$m/etc/passwd; echo ${content} >$m/content; buildah umount $c >/dev/null; buildah commit --quiet --rm $c ${name} >/dev/null`,
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
  await run('podman', ['rm', '--force', '--ignore', '--time=0', 'tcf-mine']);
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

test('tcf up starts it, exec goes in, and a stranger of its name is refused', async () => {
  mkdirSync(join(stage.folder, '.config/tcf'), { recursive: true });
  writeFileSync(
    join(stage.folder, '.config/tcf/profiles.yaml'),
    `version: 1\nprofiles: { mine: { image: "containers-storage:${name}" } }\n`,
  );
  const up = await here('up', ...policy, 'mine');
  expect(up.code, up.stderr).toBe(0);
  expect(up.stderr).toMatch(/never was in a registry[\s\S]*tcf-mine is running/);
  const exec = await here('exec', ...policy, '--user=0', 'mine', '/bin/sh', '-c', 'echo inside');
  expect(exec, exec.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/inside/) });
  expect(await here('exec', '--policy', 'other.yaml', '--user=0', 'mine', '/bin/sh')).toMatchObject({
    code: 125,
  });
  expect(await here('down', 'mine')).toMatchObject({ code: 0 });
  await must('podman', ['run', '--detach', '--name', 'tcf-mine', name, 'sleep', '100']);
  expect((await here('up', ...policy, 'mine')).stderr).toMatch(/tcf did not make the container/);
  expect(await here('down', '--time', '0', 'mine')).toMatchObject({ code: 0 });
});

test('a dev container starts it by its digest, opened by the real CLI', async () => {
  const project = join(stage.folder, 'project');
  mkdirSync(project);
  for (const file of ['local.yaml', 'team.pub']) {
    await must('cp', [join(stage.folder, file), project]);
  }
  mkdirSync(join(stage.folder, 'bin'));
  writeFileSync(join(stage.folder, 'bin/tcf'), `#!/bin/sh\nexec ${stage.tcf.program.join(' ')} "$@"\n`, {
    mode: 0o755,
  });
  const inProject = (...args: readonly string[]) => stage.tcf.run(args, { cwd: project, env: stage.env });
  const made = await inProject(
    'devcontainer',
    'init',
    `containers-storage:${name}`,
    '--policy',
    'local.yaml',
  );
  expect(made.stdout, made.stderr).toMatch(/^localhost\/tcf-way-local:latest@sha256:[0-9a-f]{64}\n$/);
  const cli = join(inject('work'), 'devcontainer-cli/node_modules/.bin/devcontainer');
  const open = async () => {
    const ran = await run(
      cli,
      ['up', '--docker-path', 'podman', '--workspace-folder', project, '--remove-existing-container'],
      { cwd: project, env: { ...stage.env, PATH: `${stage.folder}/bin:${process.env['PATH']}` } },
    );
    const ids = (
      await must('podman', [
        'ps',
        '--all',
        '--quiet',
        '--filter',
        `label=devcontainer.local_folder=${project}`,
      ])
    )
      .split('\n')
      .filter(Boolean);
    if (ids.length > 0) {
      await run('podman', ['rm', '--force', '--time=0', ...ids]);
    }
    return { ...ran, made: ids.length };
  };
  const opened = await open();
  expect(opened.code, opened.stdout + opened.stderr).toBe(0);
  expect(opened.made).toBe(1);
  // Without its signature.
  await must('mv', [join(stage.folder, '.local/state/tcf/local-signatures'), join(stage.folder, 'away')]);
  const unsigned = await open();
  await must('mv', [join(stage.folder, 'away'), join(stage.folder, '.local/state/tcf/local-signatures')]);
  expect(unsigned.code).not.toBe(0);
  expect(unsigned.made).toBe(0);
});

test('what was built anew under its name does not start', async () => {
  await build('two');
  expect(await start()).toMatchObject({ code: 125, stdout: '' });
  const ran = await plain();
  expect(ran.code).not.toBe(0);
  expect(ran.stdout).toBe('');
});
