import { resolve } from 'node:path';
import { cannotTell } from '../base/error.ts';
import { codeOf, systemWords } from './errors.ts';
import { homeFolder } from './folders.ts';
import type { Host } from './host.ts';
import { openOutput } from './output.ts';
import { childProcess, findOnPath, programRunner, run } from './programs.ts';
import { watchEndOf } from './unfinished.ts';

/** The real host. The process comes in as a value, so that `main.ts` stays the only file that names it. */
export function processHost(process: NodeJS.Process): Host {
  const env = process.env;
  watchEndOf(process);
  return {
    env,
    get cwd() {
      return currentFolder(process);
    },
    home: homeFolder(env),
    uid: process.getuid?.() ?? -1,
    machine: { config: '/etc/tcf', state: '/var/lib/tcf' },
    architecture: { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch,
    get self() {
      return selfOf(process);
    },
    // Opening it costs some milliseconds, and few verbs read it.
    get stdin() {
      return process.stdin;
    },
    stdout: openOutput(() => process.stdout, env),
    stderr: openOutput(() => process.stderr, env),
    now: () => new Date(),
    sleep,
    stopped: () => stopped(process),
    onInterrupt: (exit) => {
      process.on('SIGINT', () => process.exit(exit));
    },
    quietly: (load) => quietly(process, load),
    spareMemory: () => spareMemory(process),
    askSecret: (prompt) => askSecret(process.stdin, process.stderr, prompt),
    find: (name) => findOnPath(name, env['PATH'] ?? ''),
    run: (file, args) => run(file, args),
    program: programRunner(env),
    exec: (file, args) => exec(process, file, args),
  };
}

/** @throws TcfError `host.cwd` (exit 2) where it was removed, or may not be looked at. */
function currentFolder(process: NodeJS.Process): string {
  try {
    return process.cwd();
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'was removed' : `cannot be found: ${systemWords(error)}`;
    throw cannotTell('host.cwd', `the current folder ${why}`, {
      hint: 'change to a folder that is there',
      cause: error,
    });
  }
}

/** Node gives the path of a single executable twice. */
function selfOf({ argv, execPath, getBuiltinModule }: NodeJS.Process): readonly string[] {
  const main = getBuiltinModule('node:sea').isSea() ? undefined : argv[1];
  return [execPath, ...(main === undefined ? [] : [resolve(main)])];
}

/**
 * By default V8 lets what is thrown away pile up to a third of a gigabyte before it looks; the live part of a
 * scan is 15 MB for a usual image and 60 MB for half a million files (bench/memory.sh).
 * `--optimize-for-size` would do the same, at the price of a third of the time.
 */
function spareMemory({ getBuiltinModule }: NodeJS.Process): void {
  const { setFlagsFromString } = getBuiltinModule('node:v8');
  setFlagsFromString('--heap-growing-percent=50');
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** What waits is loaded by those who wait. */
async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const { setTimeout: wait } = await import('node:timers/promises');
  await wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}

function stopped(process: NodeJS.Process): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => done());
    }
  });
}

/**
 * Becomes the other program where the platform can (execve), so that signals, terminal and exit code are its
 * own. Elsewhere it is a child that gets our signals.
 */
async function exec(process: NodeJS.Process, file: string, args: readonly string[]): Promise<number> {
  if (process.execve !== undefined && process.platform !== 'win32') {
    process.execve(file, [file, ...args], process.env as Record<string, string>);
  }
  const { spawn } = await childProcess();
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit' });
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
      process.on(signal, () => child.kill(signal));
    }
    child.on('error', (error) =>
      reject(cannotTell('process.start', `could not start ${file}: ${error.message}`)),
    );
    child.on('close', (code) => resolve(code ?? 128));
  });
}

async function askSecret(
  input: NodeJS.ReadStream,
  terminal: NodeJS.WriteStream,
  prompt: string,
): Promise<string | undefined> {
  if (!input.isTTY || !terminal.isTTY) {
    return undefined;
  }
  terminal.write(prompt);
  const [{ createInterface }, { Writable }] = await Promise.all([
    import('node:readline'),
    import('node:stream'),
  ]);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true });
  try {
    return await new Promise<string | undefined>((resolve) => {
      lines.question('', resolve);
      lines.on('SIGINT', () => resolve(undefined)).on('close', () => resolve(undefined));
    });
  } finally {
    lines.close();
    terminal.write('\n');
  }
}

/** Other warnings pass: only those about experimental parts are held back, and only while it loads. */
async function quietly<T>(process: NodeJS.Process, load: () => Promise<T>): Promise<T> {
  const { emitWarning } = process;
  const passing = (warning: string | Error, ...rest: readonly unknown[]): void => {
    const [kind] = rest;
    const type = typeof kind === 'object' && kind !== null && 'type' in kind ? kind.type : kind;
    if (type !== 'ExperimentalWarning') {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  };
  process.emitWarning = passing as typeof emitWarning;
  try {
    return await load();
  } finally {
    process.emitWarning = emitWarning;
  }
}
