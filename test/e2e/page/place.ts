import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject } from 'vitest';
import { type Daemon, startDockerd } from '../engines.ts';
import { must, type Ran, run } from '../support.ts';
import { deed, openStage, type Stage } from '../ways/stage.ts';

/**
 * What docs/nothing-unverified-starts.md speaks of: a stage, and a machine that can be changed for a while.
 */
export interface Place extends Stage {
  /**
   * Runs the script as root where `/etc` and `/run` are copies and `/usr` cannot be written, with tcf as
   * `$TCF`.
   */
  inMachine(script: string): Promise<Ran>;
  /** Words of the command that `tcf run` or `tcf up` would give the engine. */
  dry(...args: readonly string[]): Promise<readonly string[]>;
}

export type Step = (place: Place) => Promise<void>;
export type Steps = Readonly<Record<string, Step>>;

/** A mount namespace of its own: what the script mounts and writes there is gone with it. */
const machine = (folder: string) => `set -e
mkdir -p ${folder}/etc/upper ${folder}/etc/work ${folder}/run/upper ${folder}/run/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=${folder}/etc/upper,workdir=${folder}/etc/work /etc
mkdir -p /etc/cdi /etc/tcf /etc/containers
`;

export async function openPlace(): Promise<Place> {
  const stage = await openStage('page');
  let count = 0;
  const inMachine = (script: string) => {
    count += 1;
    const folder = join(stage.folder, `machine-${count}`);
    return run('unshare', ['--mount', '--propagation=private', 'bash', '-c', `${machine(folder)}${script}`], {
      cwd: stage.folder,
      env: { ...stage.env, TCF: stage.tcf.program.join(' ') },
    });
  };
  return {
    ...stage,
    inMachine,
    dry: async (...args) => {
      const ran = await stage.here('run', ...stage.policy, '--dry-run', ...args);
      expect(ran.code, ran.stderr).toBe(0);
      return lastWords(ran.stdout);
    },
  };
}

/** The words of the last line that a dry run printed. */
export const lastWords = (stdout: string): readonly string[] =>
  [...(stdout.trim().split('\n').at(-1) ?? '').matchAll(/'((?:[^']|'\\'')*)'|[^\s']+/g)].map(
    ([word, quoted]) => quoted?.replaceAll(`'\\''`, "'") ?? word,
  );

/** It did not run, and tcf says why. */
export function refused(place: Place, ran: Ran, why: RegExp = /tcf/): void {
  expect(place.hasRun(), ran.stdout + ran.stderr).toBe(false);
  expect(ran.code, ran.stdout + ran.stderr).not.toBe(0);
  expect(ran.stdout + ran.stderr).toMatch(why);
}

export function started(place: Place, ran: Ran): void {
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(place.hasRun()).toBe(true);
}

export const out = (place: Place): readonly string[] => ['-v', `${place.folder}/out:/out`];
/** A command for the signed image, whose shell does what the unsigned one does by itself. */
export const shell: readonly string[] = ['/bin/sh', '-c', deed];

export const write = (place: Place, path: string, text: string): string => {
  const full = join(place.folder, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, text);
  return full;
};

export const read = (place: Place, path: string): string => readFileSync(join(place.folder, path), 'utf8');

/** dockerd with the plugin before it. */
export interface DockerPlace extends AsyncDisposable {
  docker(...args: readonly string[]): Promise<Ran>;
  readonly daemon: Daemon;
  readonly plugin: ChildProcess;
}

const pluginSocket = '/run/docker/plugins/tcf.sock';

export async function openDocker(place: Place): Promise<DockerPlace> {
  const [node = '', main = ''] = place.tcf.program;
  const socket = join(place.folder, 'docker.sock');
  const args = [main, 'hook', 'serve', 'docker', ...place.policy, '--daemon', socket];
  const plugin = spawn(node, args, { env: { ...process.env, ...place.env }, stdio: 'ignore' });
  for (let attempt = 0; !existsSync(pluginSocket) && attempt < 100; attempt += 1) {
    await sleep(100);
  }
  const daemon = await startDockerd(place.folder, '--authorization-plugin=tcf');
  return {
    daemon,
    plugin,
    docker: (...words) => run('/usr/bin/docker', ['-H', `unix://${socket}`, ...words], { env: place.env }),
    [Symbol.asyncDispose]: async () => {
      plugin.kill();
      await daemon.stop();
      rmSync(pluginSocket, { force: true });
    },
  };
}

/** A user without root, who has podman of their own. */
export interface UserPlace extends AsyncDisposable {
  readonly home: string;
  as(...command: readonly string[]): Promise<Ran>;
}

export async function openUser(place: Place, user = 'tcf-page'): Promise<UserPlace> {
  const home = `/home/${user}`;
  const as = (...command: readonly string[]) =>
    run(
      'setpriv',
      [
        ...['--reuid', user, '--regid', user, '--init-groups', 'env', '-i'],
        ...[`HOME=${home}`, `XDG_RUNTIME_DIR=${home}/run`, 'PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        ...['COSIGN_PASSWORD=x', ...command],
      ],
      { cwd: home },
    );
  if (!existsSync(home)) {
    await must('useradd', ['--create-home', '--shell', '/bin/sh', user]);
  }
  await must('bash', [
    '-c',
    `mkdir -p -m 700 ${home}/run ${home}/out ${home}/.config/containers && cp ${join(inject('work'), 'containers.conf')} ${home}/.config/containers/ && chown -R ${user}: ${home}`,
  ]);
  for (const image of [place.good, place.evil]) {
    const pulled = await as('podman', 'pull', '--quiet', '--tls-verify=false', image);
    expect(pulled.code, pulled.stderr).toBe(0);
  }
  return {
    home,
    as,
    [Symbol.asyncDispose]: async () => {
      await as('podman', 'system', 'migrate');
      await must('userdel', ['--force', user]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
