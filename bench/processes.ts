import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Cost {
  readonly seconds: number;
  readonly peakMiB: number;
}

const scratch = mkdtempSync(join(tmpdir(), 'tcf-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
// crun and the default limits are refused in some sandboxes.
const containers = join(scratch, 'containers.conf');
writeFileSync(
  containers,
  '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\nnetns = "none"\n[engine]\nruntime = "runc"\n',
);

/** A folder that is gone when the program ends. */
export function scratchPath(name: string): string {
  return join(scratch, name);
}

export function must(file: string, args: readonly string[]): string {
  const ran = spawnSync(file, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, CONTAINERS_CONF: containers },
  });
  if (ran.error !== undefined) {
    throw ran.error;
  }
  if (ran.status !== 0) {
    throw new Error(`${file} ${args.join(' ')} exited ${ran.status}: ${ran.stderr}`);
  }
  return ran.stdout;
}

/**
 * Runs a shell script in the root of the image, which is mounted read-only, with nothing of this host's
 * environment, and gives back what it printed; nothing where the image has no shell. It is no container: hooks
 * of an engine have no say.
 */
export function runImage(image: string, script: string): string {
  const root = must('podman', ['image', 'mount', image]).trim();
  try {
    const shell = [
      '-i',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'chroot',
      root,
      '/bin/sh',
      '-c',
    ];
    const isThere = spawnSync('env', [...shell, 'true']).status === 0;
    return isThere ? must('env', [...shell, `${script}\ntrue`]) : '';
  } finally {
    must('podman', ['image', 'unmount', image]);
  }
}

/** Runs a program under GNU time. */
export function measured(file: string, args: readonly string[]): Cost {
  const report = scratchPath('time');
  must('/usr/bin/time', ['-f', '%e %M', '-o', report, file, ...args]);
  const [seconds = 0, kibi = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  return { seconds, peakMiB: kibi / 1024 };
}

/** What a process and all that it started took. */
export interface ProcessCost {
  readonly wall: number;
  readonly cpu: number;
  readonly peakMiB: number;
  /** From files, pipes and sockets. */
  readonly readMiB: number;
  /** To disks: files that were taken away again count as well. */
  readonly writtenMiB: number;
}

/** Runs a program under GNU time, and asks Linux what it read and wrote: a process is charged with its children. */
export async function processCost([file = '', ...args]: readonly string[]): Promise<ProcessCost> {
  const time = scratchPath('time');
  const io = scratchPath('io');
  const script = `"$@"; code=$?; cat /proc/$$/io >"$0"; exit $code`;
  await promisify(execFile)(
    '/usr/bin/time',
    ['-f', '%e %U %S %M', '-o', time, '/bin/sh', '-c', script, io, file, ...args],
    { maxBuffer: 1 << 28, env: { ...process.env, CONTAINERS_CONF: containers } },
  );
  const [wall = 0, user = 0, system = 0, kibi = 0] = readFileSync(time, 'utf8').trim().split(' ').map(Number);
  const counted = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(readFileSync(io, 'utf8'))?.[1] ?? 0) / 2 ** 20;
  return {
    wall,
    cpu: user + system,
    peakMiB: kibi / 1024,
    readMiB: counted('rchar'),
    writtenMiB: counted('write_bytes'),
  };
}
