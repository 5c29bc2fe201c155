import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { must, type Ran, run, scratch, startDockerRegistry, tcf } from './support.ts';

/*
 * What tcf writes for editors, opened by the real devcontainer CLI with podman: up to the verified start, and
 * no further for anything else.
 */

const cliVersion = '0.89.0';
const folder = scratch();
const project = join(folder.path, 'project');
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
let cli: string;
const env = () => ({ HOME: folder.path, PATH: `${folder.path}/bin:${process.env['PATH']}` });
const here = (...args: readonly string[]): Promise<Ran> => tcf(args, { cwd: project, env: env() });
const config = join(project, '.devcontainer/devcontainer.json');
const started = join(project, 'started');

async function up(): Promise<Ran & { readonly hasRun: boolean }> {
  rmSync(started, { force: true });
  const ran = await run(cli, ['up', '--docker-path', 'podman', '--workspace-folder', project], {
    env: env(),
  });
  return { ...ran, hasRun: existsSync(started) };
}

async function build(name: string): Promise<void> {
  const script = `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin $m/etc $m/tmp $m/root $m/workspace; cp /bin/busybox $m/bin/; for a in $(busybox --list | grep -vx busybox); do ln -sf busybox $m/bin/$a; done; echo 'root:x:0:0:root:/root:/bin/sh' >$m/etc/passwd; echo ${name} >$m/etc/name; buildah umount $c >/dev/null; buildah commit --quiet --rm $c localhost/${name} >/dev/null`;
  await must('bash', ['-c', script]);
  await must('podman', [
    'push',
    '--quiet',
    '--tls-verify=false',
    `localhost/${name}`,
    `${registry.host}/dev:${name}`,
  ]);
  await must('podman', ['image', 'rm', '--force', `localhost/${name}`]);
}

beforeAll(async () => {
  const work = join(inject('work'), 'devcontainer-cli');
  cli = join(work, 'node_modules/.bin/devcontainer');
  const installed = join(work, 'node_modules/@devcontainers/cli/package.json');
  if (!existsSync(installed) || JSON.parse(readFileSync(installed, 'utf8')).version !== cliVersion) {
    mkdirSync(work, { recursive: true });
    execFileSync(
      'npm',
      ['install', '--silent', '--no-save', '--prefix', work, `@devcontainers/cli@${cliVersion}`],
      { stdio: 'ignore' },
    );
  }
  registry = await startDockerRegistry(folder.path);
  for (const path of [
    project,
    join(folder.path, 'bin'),
    join(folder.path, '.config/tcf'),
    join(folder.path, '.config/containers'),
  ]) {
    mkdirSync(path, { recursive: true });
  }
  // As an installed tcf stands on PATH; the script that init writes carries --allow-http.
  const main = join(import.meta.dirname, '../../src/main.ts');
  writeFileSync(join(folder.path, 'bin/tcf'), `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`);
  chmodSync(join(folder.path, 'bin/tcf'), 0o755);
  expect(await tcf(['keygen', '--output-key-prefix', 'team'], { cwd: folder.path })).toMatchObject({
    code: 0,
  });
  writeFileSync(
    join(project, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
  );
  copyFileSync(join(folder.path, 'team.pub'), join(project, 'team.pub'));
  await build('signed');
  await build('unsigned');
  const signed = await here(
    'sign',
    `${registry.host}/dev:signed`,
    '--key',
    join(folder.path, 'team.key'),
    '--allow-http',
    '--no-sbom',
  );
  expect(signed.code, signed.stderr).toBe(0);
  const made = await here(
    'devcontainer',
    'init',
    `${registry.host}/dev:signed`,
    '--policy',
    'policy.yaml',
    '--allow-http',
  );
  expect(made.code, made.stderr).toBe(0);
  // The CLI pulls with podman, which speaks TLS unless told otherwise; the digest is what was verified.
  await must('podman', [
    'pull',
    '--quiet',
    '--tls-verify=false',
    made.stdout.trim().replace(/:signed@/, '@'),
  ]);
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace('{', '{\n  "postCreateCommand": "touch /workspace/triton/started",'));
});

afterAll(async () => {
  const made = (
    await must('podman', ['ps', '--all', '--quiet', '--filter', `label=devcontainer.local_folder=${project}`])
  )
    .split('\n')
    .filter((id) => id !== '');
  if (made.length > 0) {
    await run('podman', ['rm', '--force', '--time=0', ...made]);
  }
  await registry.stop();
  const names = (await must('podman', ['images', '--format', '{{.ID}} {{.Repository}}']))
    .split('\n')
    .filter((line) => line.includes(registry.host));
  if (names.length > 0) {
    await run('podman', ['image', 'rm', '--force', ...names.map((line) => line.split(' ')[0] ?? '')]);
  }
  folder[Symbol.dispose]();
});

test('a tampered digest is refused before anything is created', async () => {
  const good = readFileSync(config, 'utf8');
  const { stdout } = await run('skopeo', [
    'inspect',
    '--tls-verify=false',
    '--format',
    '{{.Digest}}',
    `docker://${registry.host}/dev:unsigned`,
  ]);
  writeFileSync(config, good.replace(/sha256:[0-9a-f]{64}/, stdout.trim()));
  const ran = await up();
  expect(ran.code).not.toBe(0);
  expect(ran.hasRun).toBe(false);
  expect(ran.stderr + ran.stdout).toMatch(/✗ signed/);
  expect(
    await must('podman', [
      'ps',
      '--all',
      '--quiet',
      '--filter',
      `label=devcontainer.local_folder=${project}`,
    ]),
  ).toBe('');
  writeFileSync(config, good);
});

test('a build beside the image is refused', async () => {
  const good = readFileSync(config, 'utf8');
  writeFileSync(config, good.replace('{', '{ "build": { "dockerfile": "Dockerfile" },'));
  writeFileSync(join(project, '.devcontainer/Dockerfile'), 'FROM scratch\n');
  const ran = await up();
  expect(ran.code).not.toBe(0);
  expect(ran.hasRun).toBe(false);
  writeFileSync(config, good);
});

test('without tcf on the machine nothing starts, and one sentence says what is missing', async () => {
  renameSync(join(folder.path, 'bin/tcf'), join(folder.path, 'bin/away'));
  const ran = await up();
  renameSync(join(folder.path, 'bin/away'), join(folder.path, 'bin/tcf'));
  expect(ran.code).not.toBe(0);
  expect(ran.hasRun).toBe(false);
  expect(ran.stderr + ran.stdout).toMatch(/starts only once tcf has verified its image/);
});

test('a project that asks for the host is refused until its user allows it', async () => {
  const good = readFileSync(config, 'utf8');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of devcontainer.json
  writeFileSync(config, good.replace('{', '{ "runArgs": ["--runtime=${localWorkspaceFolder}/evil.sh"],'));
  writeFileSync(join(project, 'evil.sh'), `#!/bin/sh\ntouch ${started}\n`, { mode: 0o755 });
  const ran = await up();
  writeFileSync(config, good);
  expect(ran.code).not.toBe(0);
  expect(ran.hasRun).toBe(false);
  expect(ran.stderr + ran.stdout).toMatch(/gives the project something of this machine/);
});

test('what tcf wrote opens', async () => {
  const ran = await up();
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stdout).toContain('"outcome":"success"');
  expect(ran.hasRun).toBe(true);
});
