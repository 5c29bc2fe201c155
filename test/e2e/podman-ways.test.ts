import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { must, type Ran, run } from './support.ts';
import { deed, openStage, type Stage, type Way } from './ways/stage.ts';
import { tryWays } from './ways/table.ts';

/* Plain podman on a machine whose administrator installed the hook: root, and a second user without root. */

let stage: Stage;
const s = () => stage;
const podman = (...args: readonly string[]) => s().podman(...args);
const out = () => ['-v', `${s().folder}/out:/out`];
const start = (...words: readonly string[]) => podman('run', '--rm', ...out(), ...words);
const install = (...flags: readonly string[]) =>
  s().here('hook', 'install', 'podman', ...s().policy, ...flags);
const hook = '/usr/share/containers/oci/hooks.d/tcf.json';

beforeAll(async () => {
  stage = await openStage('podman');
  for (const tag of ['good', 'evil']) {
    await must('podman', ['pull', '--quiet', '--tls-verify=false', `${s().registry}/dev:${tag}`]);
  }
  await must('podman', ['image', 'rm', '--force', 'localhost/tcf-way-good']);
  // A run that was stopped leaves them behind.
  await run('podman', ['rm', '--force', '--ignore', '--time=0', 'tcf-way-old', 'tcf-way-running']);
  // Made before the hook was there.
  await must('podman', ['create', '--name', 'tcf-way-old', ...out(), 'localhost/tcf-way-evil']);
  await must('podman', [
    'run',
    '-d',
    '--name',
    'tcf-way-running',
    '--entrypoint',
    '["/bin/sleep","1000"]',
    ...out(),
    'localhost/tcf-way-evil',
  ]);
  const installed = await install();
  expect(installed.code, installed.stderr).toBe(0);
  expect(installed.stdout).not.toMatch(/for root alone/);
});

afterAll(async () => {
  await s().here('hook', 'uninstall', 'podman');
  expect(existsSync('/etc/tcf/hooks/podman')).toBe(false);
  const made = (await must('podman', ['ps', '--all', '--quiet', '--filter', 'name=tcf-way']))
    .split('\n')
    .filter(Boolean);
  if (made.length > 0) {
    await run('podman', ['rm', '--force', '--time=0', ...made]);
  }
  await run('podman', ['pod', 'rm', '--force', 'tcf-way-pod']);
  await s()[Symbol.asyncDispose]();
});

/** `podman build` of the unsigned image, with flags or with variables. */
const build = (how: Readonly<Record<string, string>> | string): Promise<Ran> => {
  const file = join(s().folder, 'Containerfile');
  writeFileSync(
    file,
    `FROM localhost/tcf-way-evil\nRUN ["/bin/sh", "-c", "${deed} # ${crypto.randomUUID()}"]\n`,
  );
  const [flags, env] = typeof how === 'string' ? [[how], {}] : [[], how];
  return run('podman', ['build', '--quiet', ...out(), ...flags, '--file', file, s().folder], {
    env: { ...s().env, ...env },
  });
};

test('the hook proves itself from both sides', async () => {
  const open = await s().here('hook', 'status', 'podman');
  expect(open.code, open.stdout).toBe(2);
  expect(open.stdout).toMatch(/\? podman: not proven that a signed image starts/);
  const status = await s().here('hook', 'status', 'podman', '--image', s().good);
  expect(status.code, status.stdout + status.stderr).toBe(0);
  expect(status.stdout).toMatch(
    /✓ podman: it denied an unsigned image\n✓ podman: it allowed .* which is signed/,
  );
  // What was allowed last is tried from then on.
  expect(await s().here('hook', 'status', 'podman')).toMatchObject({ code: 0 });
  const unsigned = await s().here('hook', 'status', 'podman', '--image', s().evil);
  expect(unsigned).toMatchObject({ code: 1, stdout: expect.stringMatching(/✗ podman: it refused/) });
});

test('the signed image starts, so that a refusal means something', async () => {
  const ran = await start(s().good, '/bin/sh', '-c', deed);
  expect(ran.code, ran.stderr).toBe(0);
  expect(s().hasRun()).toBe(true);
});

const copies = '/etc/tcf/hooks/podman';
test.for<readonly [string, () => Promise<() => void>, RegExp]>([
  [
    'a foreign program that denies everything',
    async () => {
      const program = join(s().folder, 'deny');
      writeFileSync(program, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      const text = await must('cat', [hook]);
      const words = JSON.parse(text);
      words.hook.args = [
        'sh',
        '-c',
        'exec "$0"',
        program,
        'hook',
        'enter',
        'podman',
        '--policy',
        join(copies, 'policy.yaml'),
      ];
      writeFileSync(hook, JSON.stringify(words));
      return () => writeFileSync(hook, text);
    },
    /it was not asked about an unsigned image/,
  ],
  [
    'a foreign program that allows everything',
    async () => {
      const text = await must('cat', [hook]);
      const words = JSON.parse(text);
      words.hook.args = [
        'sh',
        '-c',
        'exit 0',
        '/bin/sh',
        'hook',
        'enter',
        'podman',
        '--policy',
        join(copies, 'policy.yaml'),
      ];
      writeFileSync(hook, JSON.stringify(words));
      return () => writeFileSync(hook, text);
    },
    /it was not asked about an unsigned image/,
  ],
  [
    'another key',
    async () => {
      const key = join(copies, '0-team.pub');
      const text = await must('cat', [key]);
      await s().here('keygen', '--output-key-prefix', 'other');
      writeFileSync(key, await must('cat', [join(s().folder, 'other.pub')]));
      return () => writeFileSync(key, text);
    },
    /it refused .*(?:no signature|signed)/,
  ],
  [
    'no policy',
    async () => {
      renameSync(join(copies, 'policy.yaml'), join(copies, 'away'));
      return () => renameSync(join(copies, 'away'), join(copies, 'policy.yaml'));
    },
    /no policy that can be read, and refuses everything/,
  ],
  [
    'a policy that others may write',
    async () => {
      chmodSync(join(copies, 'policy.yaml'), 0o666);
      return () => chmodSync(join(copies, 'policy.yaml'), 0o644);
    },
    /others may write/,
  ],
  [
    "an administrator's hooks_dir that leads elsewhere",
    async () => {
      const path = '/etc/containers/containers.conf.d/tcf-way.conf';
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, '[engine]\nhooks_dir = ["/nowhere"]\n');
      return () => rmSync(path);
    },
    /podman looks into \/nowhere/,
  ],
])('status says no: %s', async ([, arrange, message]) => {
  const undo = await arrange();
  const env = {
    ...s().env,
    CONTAINERS_CONF: message.source.includes('nowhere') ? '' : join(inject('work'), 'containers.conf'),
  };
  const status = await s().tcf.run(['hook', 'status', 'podman', '--image', s().good], {
    cwd: s().folder,
    env,
  });
  undo();
  expect(status.stdout).toMatch(message);
  expect(status.code).toBe(1);
});

tryWays('podman with the hook, as root', s, [
  { name: 'an unsigned image by its tag', go: () => start(`${s().registry}/dev:evil`) },
  { name: 'an unsigned image by its digest', go: () => start(s().evil) },
  {
    name: 'an unsigned image by its id',
    go: async () =>
      start(
        (await must('podman', ['image', 'inspect', '--format', '{{.Id}}', 'localhost/tcf-way-evil'])).trim(),
      ),
  },
  { name: 'an image that was built here', go: () => start('localhost/tcf-way-evil') },
  {
    name: 'an image that was given the name of a signed one',
    go: async () => {
      await must('podman', ['tag', 'localhost/tcf-way-evil', `${s().registry}/dev:signed`]);
      return await start('--pull=never', `${s().registry}/dev:signed`);
    },
  },
  {
    name: 'a container that was committed',
    go: async () => {
      await must('podman', ['commit', '--quiet', 'tcf-way-old', 'localhost/tcf-way-committed']);
      return await start('localhost/tcf-way-committed');
    },
  },
  {
    name: 'an image from an archive',
    go: async () => {
      const archive = join(s().folder, 'evil.tar');
      await must('podman', ['save', '--quiet', '--output', archive, 'localhost/tcf-way-evil']);
      return await start(`docker-archive:${archive}`);
    },
  },
  {
    name: 'an imported file system',
    go: async () => {
      const archive = join(s().folder, 'evil-root.tar');
      await must('podman', ['export', '--output', archive, 'tcf-way-old']);
      await must('podman', ['import', '--quiet', archive, 'localhost/tcf-way-imported']);
      return await start('localhost/tcf-way-imported', '/bin/sh', '-c', deed);
    },
  },
  {
    name: 'a root file system on disk',
    go: async () => {
      await must('bash', [
        '-c',
        `mkdir -p ${s().folder}/rootfs/bin ${s().folder}/rootfs/out && cp /bin/busybox ${s().folder}/rootfs/bin/sh`,
      ]);
      return await start('--rootfs', join(s().folder, 'rootfs'), '/bin/sh', '-c', deed);
    },
  },
  {
    name: 'a container that was made before the hook was there',
    go: () => podman('start', '--attach', 'tcf-way-old'),
  },
  { name: '`podman init`, then start', go: () => podman('init', 'tcf-way-old') },
  { name: 'a clone of a container', go: () => podman('container', 'clone', '--run', 'tcf-way-old') },
  {
    name: '`--requires` of an unsigned container',
    go: () => start('--requires=tcf-way-old', s().good, '/bin/sh', '-c', ':'),
  },
  {
    name: 'a pod with an unsigned container',
    go: () => podman('run', '--rm', '--pod', 'new:tcf-way-pod', ...out(), 'localhost/tcf-way-evil'),
  },
  {
    name: '`podman kube play`',
    go: () => {
      const file = join(s().folder, 'pod.yaml');
      writeFileSync(
        file,
        `apiVersion: v1\nkind: Pod\nmetadata: {name: tcf-way-pod}\nspec: {containers: [{name: x, image: localhost/tcf-way-evil, imagePullPolicy: Never}]}\n`,
      );
      return podman('play', 'kube', '--replace', file);
    },
  },
  {
    name: 'an image mounted into the signed one',
    go: () =>
      start(
        '--mount=type=image,source=localhost/tcf-way-evil,destination=/mnt',
        s().good,
        '/mnt/bin/sh',
        '-c',
        deed,
      ),
  },
  {
    name: 'an image mounted into the signed one, by a link',
    go: async () => {
      const mounted = (await must('podman', ['image', 'mount', 'localhost/tcf-way-evil'])).trim();
      const link = join(s().folder, 'link');
      rmSync(link, { force: true });
      symlinkSync(mounted, link);
      const ran = await start('-v', `${link}:/mnt`, s().good, '/mnt/bin/sh', '-c', deed);
      await must('podman', ['image', 'unmount', 'localhost/tcf-way-evil']);
      return ran;
    },
  },
  { name: 'a RUN step of `podman build`', go: () => build('--isolation=oci') },
  {
    name: 'annotations that claim everything',
    go: () =>
      start(
        '--annotation=io.tcf.verified=true',
        `--annotation=io.kubernetes.cri-o.ImageName=${'x'}`,
        s().evil,
      ),
  },
  {
    name: '`CONTAINERS_STORAGE_CONF` with another store',
    go: async () => {
      const conf = join(s().folder, 'storage.conf');
      const [root, runRoot] = [join(s().folder, 'other-store'), join(s().folder, 'other-run')];
      writeFileSync(conf, `[storage]\ndriver = "vfs"\ngraphroot = "${root}"\nrunroot = "${runRoot}"\n`);
      const env = { ...s().env, CONTAINERS_STORAGE_CONF: conf };
      await must('podman', ['pull', '--quiet', '--tls-verify=false', s().evil], { env });
      return await run('podman', ['run', '--rm', ...out(), s().evil], { env });
    },
  },
  {
    name: '`podman --remote` with a service of this machine',
    go: async () => {
      const socket = join(s().folder, 'podman.sock');
      const service = spawn('podman', ['system', 'service', '--time=0', `unix://${socket}`], {
        env: { ...process.env, ...s().env, CONTAINERS_CONF: join(inject('work'), 'containers.conf') },
        stdio: 'ignore',
      });
      for (let attempt = 0; attempt < 100 && !existsSync(socket); attempt += 1) {
        await sleep(100);
      }
      const ran = await podman('--remote', '--url', `unix://${socket}`, 'run', '--rm', ...out(), s().evil);
      service.kill();
      return ran;
    },
  },
  {
    name: '`buildah run`',
    go: async () => {
      const name = (await must('buildah', ['from', '--pull-never', 'localhost/tcf-way-evil'])).trim();
      const ran = await run(
        'buildah',
        ['run', '--isolation=oci', '-v', `${s().folder}/out:/out`, name, '/bin/sh', '-c', deed],
        { env: s().env },
      );
      await must('buildah', ['rm', name]);
      return ran;
    },
  },
  {
    name: 'a RUN step with `BUILDAH_ISOLATION=chroot`',
    gap: 'build-chroot',
    go: () => build({ BUILDAH_ISOLATION: 'chroot' }),
  },
  {
    name: 'what another container left in its volume',
    gap: 'bound-in',
    go: async () => {
      await must('podman', ['volume', 'create', 'tcf-way-volume']);
      await must(
        'podman',
        ['create', '--name', 'tcf-way-volumes', '-v', 'tcf-way-volume:/bin', 'localhost/tcf-way-evil'],
        {},
      );
      const ran = await start('--volumes-from', 'tcf-way-volumes', s().good, '/bin/sh', '-c', deed);
      await must('podman', ['rm', '--force', 'tcf-way-volumes']);
      await must('podman', ['volume', 'rm', '--force', 'tcf-way-volume']);
      return ran;
    },
  },
  {
    name: 'a RUN step of `podman build --isolation=chroot`',
    gap: 'build-chroot',
    go: () => build('--isolation=chroot'),
  },
  {
    name: 'a RUN step with `--allow-builds`',
    gap: 'build-allowed',
    go: async () => {
      await install('--allow-builds');
      const ran = await build('--isolation=oci');
      await install();
      return ran;
    },
  },
  {
    name: '`podman --hooks-dir` with another folder',
    gap: 'other-hooks',
    go: () => podman('--hooks-dir', s().folder, 'run', '--rm', ...out(), s().evil),
  },
  {
    name: '`CONTAINERS_CONF` with another folder of hooks',
    gap: 'other-hooks',
    go: async () => {
      const conf = join(s().folder, 'containers.conf');
      const text = await must('cat', [join(inject('work'), 'containers.conf')]);
      writeFileSync(conf, text.replace('[engine]', '[engine]\nhooks_dir = ["/nowhere"]'));
      return await run('podman', ['run', '--rm', ...out(), s().evil], {
        env: { ...s().env, CONTAINERS_CONF: conf },
      });
    },
  },
  {
    name: '`podman exec` in a container that runs already',
    gap: 'running',
    go: () => podman('exec', 'tcf-way-running', '/bin/sh', '-c', deed),
  },
  {
    name: '`podman cp` into a container of the signed image, then start',
    gap: 'copied-in',
    go: async () => {
      const program = join(s().folder, 'program');
      writeFileSync(program, `#!/bin/sh\n${deed}\n`, { mode: 0o755 });
      await must('podman', ['create', '--name', 'tcf-way-copied', ...out(), s().good, '/program'], {
        env: s().env,
      });
      await must('podman', ['cp', program, 'tcf-way-copied:/program']);
      return await podman('start', '--attach', 'tcf-way-copied');
    },
  },
  {
    name: 'a program of the host as a volume of the signed image',
    gap: 'bound-in',
    go: () => start('-v', '/bin/busybox:/evil/sh', s().good, '/evil/sh', '-c', deed),
  },
  {
    name: 'a layer that was changed on disk, in a store of its own',
    gap: 'store-on-disk',
    go: async () => {
      const root = [
        '--root',
        join(s().folder, 'store'),
        '--runroot',
        join(s().folder, 'runroot'),
        '--storage-driver=vfs',
      ];
      await must('podman', [...root, 'pull', '--quiet', '--tls-verify=false', s().good]);
      await must('bash', [
        '-c',
        `for sh in ${s().folder}/store/vfs/dir/*/bin/sh; do mkdir "$(dirname $sh)/x"; cp /bin/busybox "$(dirname $sh)/x/sh"; done`,
      ]);
      return await podman(
        ...root,
        'run',
        '--rm',
        ...out(),
        '--entrypoint',
        '["/bin/x/sh"]',
        s().good,
        '-c',
        deed,
      );
    },
  },
  {
    name: 'a start while the log cannot be written',
    gap: 'not-logged',
    go: async () => {
      const log = join(s().folder, '.local/state/tcf/decisions');
      await must('mv', [log, `${log}.away`]);
      writeFileSync(log, 'full');
      const ran = await start(s().good, '/bin/sh', '-c', deed);
      rmSync(log);
      await must('mv', [`${log}.away`, log]);
      return ran;
    },
  },
]);

describe('a second user, without root', () => {
  const user = 'tcf-ways';
  const home = `/home/${user}`;
  const as = (...command: readonly string[]) =>
    run(
      'setpriv',
      [
        ...['--reuid', user, '--regid', user, '--init-groups', 'env', '-i'],
        ...[`HOME=${home}`, `XDG_RUNTIME_DIR=${home}/run`, 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        ...command,
      ],
      { cwd: home },
    );
  const mine = (...words: readonly string[]) =>
    as('podman', 'run', '--rm', '-v', `${home}/out:/out`, ...words);

  beforeAll(async () => {
    if (!existsSync(home)) {
      await must('useradd', ['--create-home', '--shell', '/bin/sh', user]);
    }
    await must('bash', [
      '-c',
      `mkdir -p -m 700 ${home}/run ${home}/out ${home}/.config/containers && cp ${join(inject('work'), 'containers.conf')} ${home}/.config/containers/ && chown -R ${user}: ${home}`,
    ]);
    for (const image of [s().good, s().evil]) {
      const pulled = await as('podman', 'pull', '--quiet', '--tls-verify=false', image);
      expect(pulled.code, pulled.stderr).toBe(0);
    }
  });
  afterAll(async () => {
    await as('podman', 'system', 'migrate');
    await must('userdel', ['--force', user]);
    rmSync(home, { recursive: true, force: true });
  });
  const theirs = (): Stage => ({
    ...s(),
    hasRun: () => {
      const marker = join(home, 'out/started');
      const found = existsSync(marker);
      rmSync(marker, { force: true });
      return found;
    },
  });

  test("the machine's hook lets the signed image start, and logs for the user", async () => {
    const ran = await mine(s().good, '/bin/sh', '-c', deed);
    expect(ran.code, ran.stderr).toBe(0);
    expect(theirs().hasRun()).toBe(true);
    expect(existsSync(join(home, '.local/state/tcf/decisions'))).toBe(true);
    const status = await as(...s().tcf.program, 'hook', 'status', 'podman');
    expect(status.code, status.stdout + status.stderr).toBe(0);
  });

  const refused = (name: string, ...words: readonly string[]): Way => ({ name, go: () => mine(...words) });
  tryWays("podman with the machine's hook, as another user", theirs, [
    { name: 'an unsigned image by its digest', go: () => mine(s().evil) },
    { name: 'an unsigned image with the ids of the user', go: () => mine('--userns=keep-id', s().evil) },
    {
      name: 'the same by `PODMAN_USERNS`',
      go: () =>
        as('env', 'PODMAN_USERNS=keep-id', 'podman', 'run', '--rm', '-v', `${home}/out:/out`, s().evil),
    },
    refused('a root file system on disk', '--rootfs', '/', '/bin/true'),
    {
      name: 'an image that was built here',
      go: async () => {
        await as('podman', 'tag', s().evil, 'localhost/evil');
        return await mine('localhost/evil');
      },
    },
    {
      name: 'an own `hooks_dir` in containers.conf',
      gap: 'other-store',
      go: async () => {
        const path = join(home, '.config/containers/containers.conf');
        const text = await must('cat', [path]);
        writeFileSync(path, text.replace('[engine]', '[engine]\nhooks_dir = ["/nowhere"]'));
        const ran = await mine(s().evil);
        writeFileSync(path, text);
        return ran;
      },
    },
  ]);
});
