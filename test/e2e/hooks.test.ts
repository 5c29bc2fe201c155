import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must, type Ran, run, scratch, startDockerRegistry, tcf } from './support.ts';

/*
 * With the hook in place plain podman starts what the policy allows and nothing else, whatever the image says
 * about itself.
 */

const folder = scratch();
let registry: Awaited<ReturnType<typeof startDockerRegistry>>;
const home = { HOME: folder.path };
const flag = join(folder.path, 'started');
const here = (...args: readonly string[]): Promise<Ran> => tcf(args, { cwd: folder.path, env: home });
const podman = (...args: readonly string[]): Promise<string> => must('podman', args, { env: home });

/** A container that writes a file of the host as its first deed, so that "nothing ran" can be seen. */
async function start(...image: readonly string[]): Promise<Ran & { readonly hasRun: boolean }> {
  rmSync(flag, { force: true });
  const args = [
    '--hooks-dir',
    join(folder.path, 'hooks'),
    'run',
    '--rm',
    '-v',
    `${folder.path}:/out`,
    ...image,
  ];
  const ran = await run('podman', [...args, '/bin/sh', '-c', 'echo >/out/started'], { env: home });
  return { ...ran, hasRun: existsSync(flag) };
}

/** An image of a shell, with annotations and labels that claim everything. */
async function build(name: string, content: string): Promise<void> {
  const claims = [
    `io.kubernetes.cri-o.ImageName=${registry.host}/dev:signed`,
    `org.opencontainers.image.ref.name=${registry.host}/dev:signed`,
    'io.tcf.verified=true',
  ].flatMap((claim) => ['--annotation', claim, '--label', claim]);
  const script = `set -e; c=$(buildah from scratch); m=$(buildah mount $c); mkdir -p $m/bin $m/out; cp /bin/busybox $m/bin/sh; echo ${content} >$m/content; buildah umount $c >/dev/null; buildah config ${claims.map((word) => `'${word}'`).join(' ')} $c; buildah commit --quiet --rm $c ${name} >/dev/null`;
  await must('bash', ['-c', script]);
}
const push = (image: string, to: string) => podman('push', '--quiet', '--tls-verify=false', image, to);

beforeAll(async () => {
  registry = await startDockerRegistry(folder.path);
  await here('keygen', '--output-key-prefix', 'team');
  writeFileSync(
    join(folder.path, 'policy.yaml'),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`,
  );
  await build('localhost/tcf-hook-good', 'good');
  await build('localhost/tcf-hook-evil', 'evil');
  await push('localhost/tcf-hook-good', `${registry.host}/dev:signed`);
  await push('localhost/tcf-hook-evil', `${registry.host}/dev:unsigned`);
  const signed = await here(
    'sign',
    `${registry.host}/dev:signed`,
    '--key',
    'team.key',
    '--allow-http',
    '--no-sbom',
  );
  expect(signed.code, signed.stderr).toBe(0);
  await podman('image', 'rm', '--force', 'localhost/tcf-hook-good');
  const installed = await here(
    'hook',
    'install',
    'podman',
    '--policy',
    'policy.yaml',
    '--allow-http',
    '--hooks-dir',
    'hooks',
  );
  expect(installed.code, installed.stderr).toBe(0);
});

afterAll(async () => {
  await here('hook', 'uninstall', 'podman', '--hooks-dir', 'hooks');
  await registry.stop();
  const names = (await must('podman', ['images', '--format', '{{.Repository}}:{{.Tag}}'])).split('\n');
  const made = names.filter((name) => name.startsWith(registry.host) || name.includes('/tcf-hook-'));
  if (made.length > 0) {
    await run('podman', ['image', 'rm', '--force', ...made]);
  }
  folder[Symbol.dispose]();
});

test('the hook proves itself', async () => {
  await podman('pull', '--quiet', '--tls-verify=false', `${registry.host}/dev:signed`);
  const image = ['--image', `${registry.host}/dev:signed`];
  const status = await here('hook', 'status', 'podman', '--hooks-dir', 'hooks', ...image);
  expect(status.code, status.stdout + status.stderr).toBe(0);
  expect(status.stdout).toContain('✓ podman: it denied an unsigned image');
});

test('the signed image starts, by tag and by digest', async () => {
  await podman('pull', '--quiet', '--tls-verify=false', `${registry.host}/dev:signed`);
  expect(await start(`${registry.host}/dev:signed`)).toMatchObject({ code: 0, hasRun: true });
  const { stdout } = await here(
    'verify',
    '--quiet',
    '--print-digest',
    '--policy',
    'policy.yaml',
    '--allow-http',
    `${registry.host}/dev:signed`,
  );
  expect(await start(stdout.trim())).toMatchObject({ code: 0, hasRun: true });
});

test.for<readonly [string, () => Promise<readonly string[]>]>([
  [
    'an image that nobody signed, with annotations and labels that say otherwise',
    async () => {
      await podman('pull', '--quiet', '--tls-verify=false', `${registry.host}/dev:unsigned`);
      return [`${registry.host}/dev:unsigned`];
    },
  ],
  [
    'an image whose tag was moved',
    async () => {
      await push('localhost/tcf-hook-evil', `${registry.host}/dev:moved`);
      await podman('pull', '--quiet', '--tls-verify=false', `${registry.host}/dev:moved`);
      return [`${registry.host}/dev:moved`];
    },
  ],
  [
    'a second image, mounted into the signed one',
    async () => [
      '--mount=type=image,source=localhost/tcf-hook-evil,destination=/mnt',
      '--tls-verify=false',
      `${registry.host}/dev:signed`,
    ],
  ],
  ['an image that was built here', async () => ['localhost/tcf-hook-evil']],
  [
    'an image that was given the name of the signed one',
    async () => {
      await podman('tag', 'localhost/tcf-hook-evil', `${registry.host}/dev:signed`);
      return ['--pull=never', `${registry.host}/dev:signed`];
    },
  ],
  [
    'an image by its id',
    async () => [(await podman('image', 'inspect', '--format', '{{.Id}}', 'localhost/tcf-hook-evil')).trim()],
  ],
  [
    'a root file system on disk',
    async () => {
      await must('bash', [
        '-c',
        `mkdir -p ${folder.path}/rootfs/bin ${folder.path}/rootfs/out && cp /bin/busybox ${folder.path}/rootfs/bin/sh`,
      ]);
      return ['--rootfs', join(folder.path, 'rootfs')];
    },
  ],
])('does not start %s', async ([, image]) => {
  const ran = await start(...(await image()));
  expect(ran.code).not.toBe(0);
  expect(ran.hasRun).toBe(false);
  expect(ran.stderr).toMatch(/tcf: /);
});

test('does not start anything when its policy cannot be read, its log and cache being full of good news', async () => {
  await podman('pull', '--quiet', '--tls-verify=false', `${registry.host}/dev:signed`);
  expect(await start(`${registry.host}/dev:signed`)).toMatchObject({ hasRun: true });
  // The copy that root's hook reads, not the file that was named.
  const copy = { cwd: '/etc/tcf/hooks/podman' };
  await must('mv', ['policy.yaml', 'away.yaml'], copy);
  expect(await start(`${registry.host}/dev:signed`)).toMatchObject({ hasRun: false });
  await must('mv', ['away.yaml', 'policy.yaml'], copy);
  expect(await start(`${registry.host}/dev:signed`)).toMatchObject({ hasRun: true });
});

test('where podman looks by itself it is asked without a word, and about the steps of a build', async () => {
  const flags = ['--policy', 'policy.yaml', '--allow-http'];
  const build = async () => {
    const file = join(folder.path, 'Containerfile');
    writeFileSync(file, `FROM localhost/tcf-hook-evil\nRUN echo ${crypto.randomUUID()}\n`);
    return await run('podman', ['build', '--quiet', '--isolation=oci', '--file', file, folder.path], {
      env: home,
    });
  };
  expect(await here('hook', 'install', 'podman', ...flags)).toMatchObject({ code: 0 });
  try {
    const status = await here('hook', 'status', 'podman');
    expect(status.code, status.stdout).toBe(0);
    expect(
      await run('podman', ['run', '--rm', 'localhost/tcf-hook-evil', '/bin/sh', '-c', ':'], { env: home }),
    ).toMatchObject({
      code: 126,
      stderr: expect.stringMatching(/was built or loaded here/),
    });
    expect(await build()).toMatchObject({ code: 1, stderr: expect.stringMatching(/a step of a build/) });
    expect(await here('hook', 'install', 'podman', ...flags, '--allow-builds')).toMatchObject({ code: 0 });
    const built = await build();
    expect(built.code, built.stderr).toBe(0);
  } finally {
    expect(await here('hook', 'uninstall', 'podman')).toMatchObject({ code: 0 });
  }
  expect(
    (await run('podman', ['run', '--rm', 'localhost/tcf-hook-evil', '/bin/sh', '-c', ':'], { env: home }))
      .code,
  ).toBe(0);
});

test('what it decided is in the log, in an unbroken chain', async () => {
  expect((await here('log', 'verify')).stdout).toMatch(/^\d\d+ decisions in an unbroken chain/);
  expect((await here('log', 'show')).stdout).toMatch(/ deny hook podman /);
});
