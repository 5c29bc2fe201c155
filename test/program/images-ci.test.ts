import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { folder } from '../support/host.ts';
import { runProgram } from '../support/run-program.ts';

/*
 * images/github-workflow.yml cannot be run here: its steps run as a shell, in their order, with the files and variables that GitHub
 * gives a step. sudo, buildah and curl are stand-ins that write down how they were called; tcf is one too (test/e2e/images.test.ts has
 * the real one).
 */

const root = join(import.meta.dirname, '../..');
const workflow = parse(readFileSync(join(root, 'images/github-workflow.yml'), 'utf8'));
const place = folder();
const calls = join(place.path, 'calls');
const tcf = gzipSync('#!/bin/bash\nprintf \'tcf %s\\n\' "$*" >>"$CALLS"\nexit $TCF_EXIT\n');
const sha256 = createHash('sha256').update(tcf).digest('hex');

beforeAll(() => {
  mkdirSync(join(place.path, 'bin'));
  mkdirSync(join(place.path, 'work'));
  cpSync(join(root, 'images'), join(place.path, 'work/images'), { recursive: true });
  writeFileSync(join(place.path, 'served'), tcf);
  const fake = {
    sudo: 'shift; exec "$@"',
    curl: 'cp "$SERVED" "$6"',
    // What stands on its standard input is the password.
    buildah: 'printf \'buildah %s %s\\n\' "$*" "$(cat)" >>"$CALLS"',
  };
  for (const [name, body] of Object.entries(fake)) {
    writeFileSync(join(place.path, 'bin', name), `#!/bin/bash\n${body}\n`);
    chmodSync(join(place.path, 'bin', name), 0o755);
  }
});
afterAll(() => place[Symbol.dispose]());

interface Step {
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Variables and secrets of the environment; everything else is as GitHub has it. */
const values: Readonly<Record<string, string>> = {
  'matrix.image': 'cpu',
  'github.sha': '1'.repeat(40),
  'vars.TCF_URL': 'https://releases.example/tcf.gz',
  'vars.TCF_SHA256': sha256,
  'vars.DEBIAN_MIRROR': 'https://mirror.example/debian',
  'vars.DEBIAN_SECURITY_MIRROR': 'https://mirror.example/debian-security',
  'vars.REGISTRY_USER': 'robot',
  'secrets.REGISTRY_TOKEN': 'the token',
};

const filled = (env: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).map(([name, value]) => [
      name,
      String(value).replace(/\$\{\{ ([^}]+) \}\}/g, (_, key: string) => values[key] ?? ''),
    ]),
  );

/** The steps of a job that call images/ci.sh, until one fails. */
async function runJob(name: string, more: Readonly<Record<string, string>> = {}) {
  writeFileSync(calls, '');
  const job = workflow.jobs[name];
  const path = join(place.path, 'path');
  writeFileSync(path, '');
  for (const step of (job.steps as readonly Step[]).filter(({ run }) => run?.includes('images/ci.sh'))) {
    const added = readFileSync(path, 'utf8').trim().split('\n').join(':');
    const ended = await runProgram('bash', ['-e', '-c', step.run ?? ''], {
      cwd: join(place.path, 'work'),
      env: {
        PATH: `${added}:${join(place.path, 'bin')}:/usr/bin:/bin`,
        RUNNER_TEMP: place.path,
        GITHUB_PATH: path,
        GITHUB_STEP_SUMMARY: join(place.path, 'summary'),
        SERVED: join(place.path, 'served'),
        CALLS: calls,
        TCF_EXIT: '0',
        ...filled(workflow.env),
        ...filled(job.env),
        ...filled(step.env),
        ...more,
      },
    });
    if (ended.code !== 0) {
      return { ...ended, calls: readFileSync(calls, 'utf8') };
    }
  }
  return { code: 0, stdout: '', stderr: '', calls: readFileSync(calls, 'utf8') };
}

const image = `quay.io/triton-dev-containers/cpu:${'1'.repeat(40)}`;
const mirrors =
  '--mirror debian=https://mirror.example/debian --mirror debian-security=https://mirror.example/debian-security';

describe('images/github-workflow.yml', () => {
  test.for([
    [
      'build',
      `tcf build cpu ${mirrors} --to ${image} --builder https://github.com/redhat-et/triton-dev-containers/.github/workflows/image-build.yml`,
    ],
    [
      'check',
      `tcf build cpu ${mirrors} --check ${image} --instance sigstore --builder https://github.com/redhat-et/triton-rebuilds`,
    ],
  ] as const)('%s logs in and calls tcf once', async ([name, call]) => {
    const ran = await runJob(name);
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(ran.calls).toBe(`buildah login --username robot --password-stdin quay.io the token\n${call}\n`);
  });

  test('publish asks the gate, and only then gives the tag', async () => {
    const ran = await runJob('publish');
    expect(ran.calls.split('\n').slice(1, 3)).toEqual([
      `tcf gate ${image} --policy policies/triton-images.yaml --sarif ${place.path}/tcf.sarif --summary ${place.path}/summary`,
      `tcf copy ${image} quay.io/triton-dev-containers/cpu:latest`,
    ]);
    const denied = await runJob('publish', { TCF_EXIT: '1' });
    expect(denied.code).toBe(1);
    expect(denied.calls).not.toContain('tcf copy');
  });

  test('a tcf of other bytes is not started', async () => {
    const ran = await runJob('build', { TCF_SHA256: '0'.repeat(64) });
    expect(ran.code).not.toBe(0);
    expect(ran.calls).toBe('');
  });

  test('calls no action, and each job waits for the one before', () => {
    const { build, check, publish } = workflow.jobs;
    for (const { steps } of [build, check, publish]) {
      expect(steps.filter((step: object) => 'uses' in step)).toEqual([]);
    }
    expect([check.needs, publish.needs]).toEqual(['build', 'check']);
  });

  test('what its scripts call are steps that the script has', async () => {
    const ran = await runProgram('bash', [join(root, 'images/ci.sh'), 'deploy'], {
      cwd: root,
      env: { PATH: '/usr/bin:/bin' },
    });
    expect(ran).toMatchObject({ code: 3, stderr: 'ci.sh setup|build|check|publish\n' });
  });
});
