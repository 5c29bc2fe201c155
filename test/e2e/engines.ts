import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { type Ran, run } from './support.ts';

/* Real daemons of a test, each with folders, sockets and processes of its own. */

export interface Daemon {
  readonly socket: string;
  stop(): Promise<void>;
}

async function start(
  file: string,
  args: readonly string[],
  log: string,
  socket: string,
  env = {},
): Promise<Daemon> {
  const { openSync } = await import('node:fs');
  const out = openSync(log, 'a');
  const child = spawn(file, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env } });
  for (let attempt = 0; attempt < 200 && !existsSync(socket); attempt += 1) {
    if (child.exitCode !== null) {
      throw new Error(`${file} ended: see ${log}`);
    }
    await sleep(100);
  }
  return { socket, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) {
    return;
  }
  const ended = new Promise((resolve) => child.on('close', resolve));
  child.kill();
  await Promise.race([ended, sleep(20_000)]);
  child.kill('SIGKILL');
}

/** dockerd of Debian with the driver vfs and no network, so that it runs in sandboxes too. */
export async function startDockerd(folder: string, ...args: readonly string[]): Promise<Daemon> {
  const socket = join(folder, 'docker.sock');
  rmSync(socket, { force: true });
  const daemon = await start(
    '/usr/sbin/dockerd',
    [
      ...[
        '--data-root',
        join(folder, 'data'),
        '--exec-root',
        join(folder, 'exec'),
        '--pidfile',
        join(folder, 'pid'),
      ],
      ...['--host', `unix://${socket}`, '--storage-driver', 'vfs', '--bridge', 'none', '--iptables=false'],
      ...['--insecure-registry', '127.0.0.0/8', ...args],
    ],
    join(folder, 'dockerd.log'),
    socket,
  );
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await run('/usr/bin/docker', ['-H', `unix://${socket}`, 'version'])).code === 0) {
      break;
    }
    await sleep(100);
  }
  return daemon;
}

/** A folder with a runtime, or why there is none. */
export type Found = { readonly folder: string } | { readonly missing: string };

/** containerd 2.1; built where Go is and nobody built it yet. */
export function containerd2(): Found {
  const folder = join(inject('work'), 'containerd-2.1.4');
  if (existsSync(join(folder, 'containerd'))) {
    return { folder };
  }
  try {
    execFileSync('bash', [join(import.meta.dirname, 'build-containerd.sh'), folder], { stdio: 'pipe' });
    return { folder };
  } catch (error) {
    const said = String((error as { stderr?: Uint8Array }).stderr ?? error).trim();
    return { missing: `containerd 2.1 cannot be built: ${said.split('\n').at(-1)}` };
  }
}

/** The containerd that the distribution has. */
export const containerd1 = (): Found =>
  existsSync('/usr/bin/containerd') ? { folder: '/usr/bin' } : { missing: 'containerd is not installed' };

export async function startContainerd(bin: string, folder: string, binDir: string): Promise<Daemon> {
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, 'containerd.sock');
  const isNew = bin !== '/usr/bin';
  const verifier = `[plugins."io.containerd.image-verifier.v1.bindir"]\n  bin_dir = "${binDir}"\n  per_verifier_timeout = "30s"\n[plugins."io.containerd.nri.v1.nri"]\n  disable = true\n`;
  writeFileSync(
    join(folder, 'config.toml'),
    `version = ${isNew ? 3 : 2}\nroot = "${folder}/root"\nstate = "${folder}/state"\n[grpc]\n  address = "${socket}"\n${isNew ? verifier : ''}`,
  );
  return await start(
    join(bin, 'containerd'),
    ['--config', join(folder, 'config.toml')],
    join(folder, 'containerd.log'),
    socket,
    { PATH: `${bin}:${process.env['PATH']}` },
  );
}

/** tcf as an administrator installs it: built, owned by root, readable for everybody. */
export interface InstalledTcf {
  readonly program: readonly string[];
  run(
    args: readonly string[],
    options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
  ): Promise<Ran>;
  remove(): void;
}

export function installTcf(name: string): InstalledTcf {
  const root = join(import.meta.dirname, '../..');
  const folder = `/usr/local/lib/${name}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  execFileSync(process.execPath, [join(root, 'toolchain/build.ts'), join(folder, 'tcf')], { cwd: root });
  copyFileSync(process.execPath, join(folder, 'node'));
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  execFileSync('chown', ['--recursive', 'root:root', folder]);
  execFileSync('chmod', ['--recursive', 'a+rX,go-w', folder]);
  const program = [join(folder, 'node'), join(folder, 'tcf/tcf.js')];
  return {
    program,
    run: (args, options = {}) => run(program[0] ?? '', [program[1] ?? '', ...args], options),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
