import { spawn } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDockerd } from './engines.ts';
import { must, type Ran, run } from './support.ts';
import { deed, openStage, type Stage } from './ways/stage.ts';
import { tryWays } from './ways/table.ts';

/*
 * A real daemon of Docker with tcf as its authorization plugin. What stands in its store was put there
 * before.
 */

let stage: Stage;
let daemon: Daemon;
let plugin: ReturnType<typeof spawn>;
const s = () => stage;
const socket = '/run/docker/plugins/tcf.sock';
const docker = (...args: readonly string[]): Promise<Ran> =>
  run('/usr/bin/docker', ['-H', `unix://${daemon.socket}`, ...args], { env: s().env });
const mustDocker = async (...args: readonly string[]) => {
  const ran = await docker(...args);
  if (ran.code !== 0) {
    throw new Error(`docker ${args.join(' ')}: ${ran.stderr}`);
  }
  return ran.stdout.trim();
};
const flags = () => ['--network=none', '-v', `${s().folder}/out:/out`];
const start = (...words: readonly string[]) => docker('run', '--rm', ...flags(), ...words);

async function startPlugin(): Promise<void> {
  const [node = '', main = ''] = s().tcf.program;
  plugin = spawn(
    node,
    [main, 'hook', 'serve', 'docker', ...s().policy, '--daemon', join(s().folder, 'docker.sock')],
    {
      env: { ...process.env, ...s().env },
      stdio: 'ignore',
    },
  );
  for (let attempt = 0; !existsSync(socket) && attempt < 100; attempt += 1) {
    await sleep(100);
  }
}

beforeAll(async () => {
  stage = await openStage('docker');
  daemon = await startDockerd(s().folder);
  for (const tag of ['good', 'evil']) {
    await mustDocker('pull', '--quiet', `${s().registry}/dev:${tag}`);
  }
  for (const pinned of [s().good, s().evil]) {
    await mustDocker('pull', '--quiet', pinned);
  }
  const evil = `${s().registry}/dev:evil`;
  await mustDocker('create', '--name', 'old', ...flags(), evil);
  await mustDocker('create', '--name', 'old-digest', ...flags(), s().evil);
  await mustDocker('commit', 'old', 'committed');
  await mustDocker('tag', evil, `${s().registry}/dev:signed`);
  await mustDocker(
    'run',
    '--detach',
    '--name',
    'running',
    '--entrypoint',
    '/bin/sleep',
    ...flags(),
    evil,
    '1000',
  );
  // Ends and is started again by the daemon, until it is removed.
  await mustDocker(
    'run',
    '--detach',
    '--restart=always',
    '--name',
    'restarted',
    '--network=none',
    '-v',
    `${s().folder}/again:/out`,
    evil,
  );
  await daemon.stop();
  s().hasRun();
  rmSync(join(s().folder, 'again/started'), { force: true });
  await startPlugin();
  daemon = await startDockerd(s().folder, '--authorization-plugin=tcf');
});

afterAll(async () => {
  plugin.kill();
  await daemon.stop();
  for (let attempt = 0; existsSync(socket) && attempt < 50; attempt += 1) {
    await sleep(100);
  }
  await s()[Symbol.asyncDispose]();
});

/** A request that the client has no word for. */
const api = (path: string): Promise<Ran> =>
  run('curl', [
    '--silent',
    '--fail-with-body',
    '--unix-socket',
    daemon.socket,
    '--request',
    'POST',
    `http://docker/v1.41${path}`,
  ]);

/** Asks the plugin as the daemon does. */
function ask(method: string, uri: string): Promise<{ readonly Allow: boolean }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: socket, method: 'POST', path: '/AuthZPlugin.AuthZReq' },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(JSON.parse(text)));
      },
    );
    asked.on('error', reject);
    asked.end(JSON.stringify({ User: '', RequestMethod: method, RequestUri: uri }));
  });
}

test('the signed image starts, so that a refusal means something', async () => {
  const ran = await start(s().good, '/bin/sh', '-c', deed);
  expect(ran.code, ran.stderr).toBe(0);
  expect(s().hasRun()).toBe(true);
});

test('the hook proves itself from both sides, by the daemon', async () => {
  const root = join(s().folder, 'machine');
  const here = (...args: readonly string[]) =>
    s().tcf.run(args, { cwd: s().folder, env: { ...s().env, DOCKER_HOST: `unix://${daemon.socket}` } });
  expect(await here('hook', 'install', 'docker', ...s().policy, '--root', root)).toMatchObject({ code: 0 });
  const status = await here('hook', 'status', 'docker', '--root', root);
  expect(status.code, status.stdout + status.stderr).toBe(0);
  expect(status.stdout).toMatch(
    /✓ docker: the daemon has the plugin\n✓ docker: it denied .*\n✓ docker: it allowed/,
  );
  const nowhere = await s().tcf.run(['hook', 'status', 'docker', '--root', root], {
    cwd: s().folder,
    env: { ...s().env, DOCKER_HOST: 'unix:///nowhere' },
  });
  expect(nowhere).toMatchObject({
    code: 2,
    stdout: expect.stringMatching(/\? docker: the daemon does not answer/),
  });
  expect(await here('hook', 'uninstall', 'docker', '--root', root)).toMatchObject({ code: 0 });
});

test('a reason has lines, and nothing of the protocol', async () => {
  const ran = await start(s().evil);
  expect(ran.stderr).toMatch(/\n.*✗ signed/);
  expect(ran.stderr).not.toMatch(/\\x0a/);
});

tryWays('Docker with the plugin', s, [
  { name: 'an unsigned image by its tag', go: () => start(`${s().registry}/dev:evil`) },
  { name: 'an unsigned image by its digest', go: () => start(s().evil) },
  {
    name: 'an unsigned image by its id',
    go: async () => start(await mustDocker('image', 'inspect', '--format', '{{.Id}}', s().evil)),
  },
  { name: 'the signed image by its tag, which could move', go: () => start(`${s().registry}/dev:good`) },
  { name: 'an image that was given the name of a signed one', go: () => start(`${s().registry}/dev:signed`) },
  { name: 'a container that was committed', go: () => start('committed') },
  {
    name: 'an image from an archive',
    go: async () => {
      const archive = join(s().folder, 'evil.tar');
      await mustDocker('save', '--output', archive, 'committed');
      await docker('load', '--input', archive);
      return await start('committed:latest');
    },
  },
  {
    name: 'an imported file system',
    go: async () => {
      const archive = join(s().folder, 'root.tar');
      await mustDocker('export', '--output', archive, 'old');
      await docker('import', archive, 'imported');
      return await start('imported', '/bin/sh', '-c', deed);
    },
  },
  {
    name: 'a container that was made before the plugin was there',
    go: () => docker('start', '--attach', 'old'),
  },
  { name: 'one that was made by digest', go: () => docker('start', '--attach', 'old-digest') },
  { name: '`docker restart` of it', go: () => docker('restart', 'old') },
  { name: 'a checkpoint', go: () => api('/containers/old/start?checkpoint=x') },
  {
    name: '`docker build`',
    go: async () => {
      writeFileSync(join(s().folder, 'Dockerfile'), `FROM committed\nRUN ["/bin/sh", "-c", "${deed}"]\n`);
      return await run(
        '/usr/bin/docker',
        ['-H', `unix://${daemon.socket}`, 'build', '--network=none', s().folder],
        {
          env: { ...s().env, DOCKER_BUILDKIT: '0' },
        },
      );
    },
  },
  { name: 'a swarm', go: () => docker('swarm', 'init', '--advertise-addr', '127.0.0.1') },
  { name: 'a service of a swarm', go: () => docker('service', 'create', 'committed') },
  { name: 'a plugin of the daemon', go: () => api(`/plugins/pull?remote=${s().registry}/dev:evil`) },
  {
    name: '`docker cp` into a container of the signed image that has not started',
    go: async () => {
      const program = join(s().folder, 'program');
      writeFileSync(program, `#!/bin/sh\n${deed}\n`, { mode: 0o755 });
      await mustDocker('create', '--name', 'copied', ...flags(), s().good, '/program');
      const copied = await docker('cp', program, 'copied:/program');
      const started = await docker('start', '--attach', 'copied');
      return { code: copied.code && started.code, stdout: copied.stdout, stderr: copied.stderr };
    },
  },
  {
    name: 'the first of two images in one request',
    go: () => start('--mount', 'type=image,source=committed,target=/mnt', s().good),
  },
  {
    name: 'the volumes of another container',
    go: () => start('--volumes-from', 'old', s().good, '/bin/sh', '-c', deed),
  },
  {
    name: 'a container that the daemon restarts by itself',
    gap: 'restarted',
    go: async () => {
      for (let attempt = 0; attempt < 100 && !existsSync(join(s().folder, 'again/started')); attempt += 1) {
        await sleep(100);
      }
      return { code: existsSync(join(s().folder, 'again/started')) ? 0 : 1, stdout: '', stderr: '' };
    },
  },
  {
    name: '`docker exec` in a container that runs',
    gap: 'restarted',
    go: async () => {
      await mustDocker(
        'run',
        '--detach',
        '--name',
        'mine',
        ...flags(),
        '--entrypoint',
        '/bin/sleep',
        s().good,
        '1000',
      );
      return await docker('exec', 'mine', '/bin/sh', '-c', deed);
    },
  },
  {
    name: 'a container that gets the name between the question and the start',
    gap: 'renamed',
    go: async () => {
      await mustDocker('create', '--name', 'named', ...flags(), s().good, '/bin/sh');
      const answer = await ask('POST', '/v1.41/containers/named/start');
      await mustDocker('rename', 'named', 'other');
      await mustDocker('rename', 'old', 'named');
      const now = await docker('inspect', '--format', '{{.Config.Image}}', 'named');
      await mustDocker('rename', 'named', 'old');
      return { ...now, code: answer.Allow && now.stdout.includes('evil') ? 0 : 1 };
    },
  },
  {
    name: 'the socket of containerd below the daemon',
    gap: 'below',
    go: async () => {
      const below = join(s().folder, 'exec/containerd/containerd.sock');
      const ctr = (...args: readonly string[]) => run('/usr/bin/ctr', ['--address', below, ...args]);
      const name = `${s().registry}/dev:evil`;
      await ctr('image', 'pull', '--plain-http', '--snapshotter=native', name);
      return await ctr(
        ...[
          'run',
          '--rm',
          '--snapshotter=native',
          '--mount',
          `type=bind,src=${s().folder}/out,dst=/out,options=rbind:rw`,
        ],
        ...[name, 'below', '/bin/sh', '-c', deed],
      );
    },
  },
  {
    name: 'what a container wrote over its own image before it was stopped',
    gap: 'written-over',
    go: async () => {
      await mustDocker(
        'run',
        '--detach',
        '--name',
        'written',
        ...flags(),
        '--entrypoint',
        '/bin/sh',
        s().good,
        '-c',
        '[ -x /program ] && exec /program; exec /bin/sleep 1000',
      );
      const program = join(s().folder, 'program');
      writeFileSync(program, `#!/bin/sh\n${deed}\n`, { mode: 0o755 });
      await mustDocker('cp', program, 'written:/program');
      await mustDocker('stop', '--time=0', 'written');
      return await docker('start', '--attach', 'written');
    },
  },
  {
    name: 'a program of the host as a volume of the signed image',
    gap: 'bound-in',
    go: () => start('-v', '/bin/busybox:/mnt/sh', s().good, '/mnt/sh', '-c', deed),
  },
  {
    name: 'a start while the log cannot be written',
    gap: 'not-logged',
    go: async () => {
      const log = join(s().folder, '.local/state/tcf/decisions');
      await must('mv', [log, `${log}.away`]);
      writeFileSync(log, 'full');
      const ran = await start(s().good, '/bin/sh', '-c', deed);
      await must('bash', ['-c', `rm ${log} && mv ${log}.away ${log}`]);
      return ran;
    },
  },
]);

test('tcf sbom reads an image out of the store of the daemon, as docker save would write it', async () => {
  const [node = '', ...main] = s().tcf.program;
  const env = { ...s().env, DOCKER_HOST: `unix://${daemon.socket}` };
  const sbom = async (name: string) => await must(node, [...main, 'sbom', name], { env });
  const archive = join(s().folder, 'saved.tar');
  const image = `${s().registry}/dev:good`;
  await mustDocker('save', '-o', archive, image);
  const read = await sbom(`docker-daemon:${image}`);
  expect(read).toBe(await sbom(`docker-archive:${archive}`));
  expect(read).toContain('"bomFormat"');
});
