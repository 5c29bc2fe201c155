import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containerd1, containerd2, type Daemon, startContainerd } from './engines.ts';
import { must, type Ran, run } from './support.ts';
import { deed, openStage, type Stage } from './ways/stage.ts';
import { tryWays } from './ways/table.ts';

/* Real containerd: 2.1, which has image verifiers, and Debian's 1.6, which has none. */

let stage: Stage;
const s = () => stage;
const [new2, old1] = [containerd2(), containerd1()];
const reasonOf = (found: typeof new2) => ('missing' in found ? found.missing : undefined);
const binDir = () => join(s().folder, 'bin');
const ctrOf =
  (folder: string, daemon: () => Daemon) =>
  (...args: readonly string[]): Promise<Ran> =>
    run(join(folder, 'ctr'), ['--address', daemon().socket, ...args]);

beforeAll(async () => {
  stage = await openStage('containerd');
  const installed = await s().here('hook', 'install', 'containerd', ...s().policy, '--bin-dir', binDir());
  expect(installed.code, installed.stderr).toBe(0);
});
afterAll(async () => {
  await s().here('hook', 'uninstall', 'containerd', '--bin-dir', binDir());
  await s()[Symbol.asyncDispose]();
});

const status = (folder: string, daemon: Daemon, ...args: readonly string[]) =>
  s().tcf.run(['hook', 'status', 'containerd', '--bin-dir', binDir(), '--address', daemon.socket, ...args], {
    cwd: s().folder,
    env: { ...s().env, PATH: `${folder}:${process.env['PATH']}` },
  });

/** A test that says why it was not tried. */
const whereThere =
  (missing: string | undefined) =>
  (name: string, tried: () => Promise<void>): void =>
    test(name, async (context) => {
      if (missing !== undefined) {
        context.skip(`not tried here: ${missing}`);
      }
      await tried();
    });

describe('containerd 2.1', () => {
  let daemon: Daemon;
  const missing = reasonOf(new2);
  const folder = 'folder' in new2 ? new2.folder : '';
  const ctr = ctrOf(folder, () => daemon);
  const pull = (image: string, ...flags: readonly string[]) =>
    ctr('image', 'pull', '--plain-http', ...flags, image);
  const start = (image: string) =>
    ctr(
      ...['run', '--rm', '--mount', `type=bind,src=${s().folder}/out,dst=/out,options=rbind:rw`],
      ...[image, `way-${Math.random().toString(36).slice(2)}`, '/bin/sh', '-c', deed],
    );
  beforeAll(async () => {
    if (missing === undefined) {
      daemon = await startContainerd(folder, join(s().folder, 'c2'), binDir());
    }
  });
  afterAll(() => daemon?.stop());
  const it = whereThere(missing);

  it('the hook proves itself from both sides, by containerd', async () => {
    const found = await status(folder, daemon, '--image', `${s().registry}/dev:good`, '--allow-http');
    expect(found.code, found.stdout + found.stderr).toBe(0);
    expect(found.stdout).toMatch(
      /✓ containerd: containerd 2\.1\S* has loaded its image verifiers\n✓ containerd: it denied .*\n✓ containerd: it allowed/,
    );
    expect(await status(folder, { ...daemon, socket: '/nowhere' })).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/\? containerd: containerd does not answer/),
    });
  });

  it('a daemon that looks elsewhere for its verifiers is no proof', async () => {
    const other = await startContainerd(folder, join(s().folder, 'c3'), join(s().folder, 'empty'));
    const found = await status(folder, other, '--image', `${s().registry}/dev:good`, '--allow-http');
    await other.stop();
    expect(found).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/✗ containerd: it let an unsigned image start/),
    });
  });

  it('the signed image is pulled and starts, so that a refusal means something', async () => {
    const pulled = await pull(`${s().registry}/dev:good`);
    expect(pulled.code, pulled.stderr).toBe(0);
    const ran = await start(`${s().registry}/dev:good`);
    expect(ran.code, ran.stderr).toBe(0);
    expect(s().hasRun()).toBe(true);
  });

  tryWays(
    'containerd 2.1 with the verifier',
    s,
    [
      { name: 'an unsigned image by its tag', go: () => pull(`${s().registry}/dev:evil`) },
      { name: 'an unsigned image by its digest', go: () => pull(s().evil) },
      {
        name: 'an unsigned image with all its platforms',
        go: () => pull(`${s().registry}/dev:evil`, '--all-platforms'),
      },
      {
        name: 'an unsigned image in another namespace',
        go: () => ctr('--namespace', 'other', 'image', 'pull', '--plain-http', s().evil),
      },
      {
        name: 'a tag that was moved to an unsigned image',
        go: async () => {
          await must('podman', [
            'push',
            '--quiet',
            '--tls-verify=false',
            'localhost/tcf-way-evil',
            `${s().registry}/dev:moved`,
          ]);
          return await pull(`${s().registry}/dev:moved`);
        },
      },
      {
        name: 'an unsigned image while the policy is gone',
        go: async () => {
          const policy = '/etc/tcf/hooks/containerd/policy.yaml';
          await must('mv', [policy, `${policy}.away`]);
          const ran = await pull(s().evil);
          await must('mv', [`${policy}.away`, policy]);
          return ran;
        },
      },
      {
        name: 'another platform of an index whose manifest for this machine is signed',
        gap: 'other-platform',
        go: async () => {
          const index = `${s().registry}/dev:index`;
          const policy = '/etc/tcf/hooks/containerd/policy.yaml';
          await must('sed', ['-i', 's/require:/multiArch: platform\\n    require:/', policy]);
          await must('bash', [
            '-c',
            `buildah manifest create tcf-way-index && buildah manifest add --tls-verify=false --arch amd64 tcf-way-index docker://${s().good} && buildah manifest add --tls-verify=false --arch arm64 tcf-way-index docker://${s().evil} && buildah manifest push --all --tls-verify=false tcf-way-index docker://${index} && buildah manifest rm tcf-way-index`,
          ]);
          return await pull(index, '--all-platforms');
        },
      },
      {
        name: 'an image that is there already',
        gap: 'already-there',
        go: async () => {
          await pull(s().evil, '--local');
          return await start(s().evil);
        },
      },
      {
        name: '`ctr image pull --local`',
        gap: 'local-pull',
        go: () => pull(`${s().registry}/dev:evil`, '--local'),
      },
      {
        name: 'a `bin_dir` that containerd looks for elsewhere',
        gap: 'other-bin-dir',
        go: async () => {
          const other = await startContainerd(folder, join(s().folder, 'c4'), join(s().folder, 'empty'));
          const ran = await ctrOf(folder, () => other)('image', 'pull', '--plain-http', s().evil);
          await other.stop();
          return ran;
        },
      },
    ],
    missing,
  );
});

describe('containerd 1.6', () => {
  let daemon: Daemon;
  const missing = reasonOf(old1);
  const ctr = ctrOf('/usr/bin', () => daemon);
  beforeAll(async () => {
    rmSync(join(s().folder, 'c1'), { recursive: true, force: true });
    if (missing === undefined) {
      daemon = await startContainerd('/usr/bin', join(s().folder, 'c1'), binDir());
    }
  });
  afterAll(() => daemon?.stop());

  whereThere(missing)('status says no: it has no image verifiers', async () => {
    const found = await status('/usr/bin', daemon, '--image', `${s().registry}/dev:good`, '--allow-http');
    expect(found.stdout).toMatch(
      /✗ containerd: containerd 1\.6\S* has no image verifiers, so it asks no verifier/,
    );
    expect(found.code).toBe(1);
  });

  tryWays(
    'containerd 1.6',
    s,
    [
      {
        name: 'an unsigned image',
        gap: 'old-containerd',
        go: () => ctr('image', 'pull', '--plain-http', '--snapshotter=native', s().evil),
      },
    ],
    missing,
  );
});
