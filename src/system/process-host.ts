import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { codeOf } from './errors.ts';
import { homeFolder } from './folders.ts';
import type { Host, Output } from './host.ts';

import type { Finished, RunProgram } from './program.ts';

/** It takes some milliseconds to load, and most verifications start nothing. */
const childProcess = () => import('node:child_process');

/** Output of a helper process beyond this is cut: nothing we run has more to say. */
const maxProcessOutput = 1024 * 1024;

/** The real host. The process comes in as a value, so that `main.ts` stays the only file that names it. */
export function processHost(process: NodeJS.Process): Host {
  const env = process.env;
  return {
    env,
    cwd: process.cwd(),
    home: homeFolder(env),
    uid: process.getuid?.() ?? -1,
    machine: { config: '/etc/tcf', state: '/var/lib/tcf' },
    architecture: { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch,
    self: [process.execPath, ...(process.argv[1] === undefined ? [] : [resolve(process.argv[1])])],
    // Opening it costs some milliseconds, and few verbs read it.
    get stdin() {
      return process.stdin;
    },
    stdout: output(() => process.stdout),
    stderr: output(() => process.stderr),
    now: () => new Date(),
    stopped: () => stopped(process),
    onInterrupt: (exit) => {
      process.on('SIGINT', () => process.exit(exit));
    },
    askSecret: (prompt) => askSecret(process.stdin, process.stderr, prompt),
    find: (name) => findOnPath(name, env['PATH'] ?? ''),
    run: (file, args) => run(file, args),
    program: runProgram((name) => findOnPath(name, env['PATH'] ?? '')),
    exec: (file, args) => exec(process, file, args),
  };
}

/** Opened when it is first needed: what is quiet need not wait for it. */
function output(open: () => NodeJS.WriteStream): Output {
  let stream: NodeJS.WriteStream | undefined;
  const opened = () => {
    // The stream says it twice, to the caller of write and as an event; an event that nobody hears ends the process.
    stream ??= open().on('error', () => {});
    return stream;
  };
  return {
    get isTerminal() {
      return opened().isTTY === true;
    },
    write: (text) =>
      new Promise((resolve, reject) => {
        opened().write(text, (error) => {
          // The reader of a pipe went away (`tcf sbom IMAGE | head`): there is nobody left to tell.
          if (!error || codeOf(error) === 'EPIPE') resolve();
          else reject(cannotTell('output.unwritable', `could not write the output: ${error.message}`));
        });
      }),
  };
}

function stopped(process: NodeJS.Process): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => done());
  });
}

function findOnPath(name: string, path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    // A relative entry, such as ".", would let the current folder decide what runs.
    if (!isAbsolute(folder)) continue;
    const candidate = join(folder, name);
    if (isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return false;
    throw error;
  }
}

async function run(file: string, args: readonly string[]): Promise<Finished> {
  const { spawn } = await childProcess();
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        if (text[name].length < maxProcessOutput) text[name] += chunk;
      });
    }
    child.on('error', (error) =>
      reject(cannotTell('process.start', `could not start ${file}: ${error.message}`)),
    );
    child.on('close', (code) => resolve({ code: code ?? 128, ...text }));
  });
}

function runProgram(find: (name: string) => string | undefined): RunProgram {
  return async (file, args, input, limits) => {
    const path = file.includes('/') ? file : find(file);
    if (path === undefined) throw notStarted(file, 'it is not on PATH');
    return await feed(path, args, input, limits);
  };
}

const feed: RunProgram = async (file, args, input, limits) => {
  const { spawn } = await childProcess();
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let broken: string | undefined;
    const stop = (why: string) => {
      broken ??= why;
      child.kill('SIGKILL');
      // Whoever inherited the pipes may live on; we do not wait for it.
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    };
    const timer = setTimeout(() => stop(`took longer than ${limits.timeout / 1000} s`), limits.timeout);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.output) stop(`printed more than the limit of ${limits.output} bytes`);
      else stdout.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < maxProcessOutput) stderr += chunk;
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(notStarted(file, error.message));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (broken === undefined) resolve({ code: code ?? 128, stdout: Buffer.concat(stdout), stderr });
      else reject(cannotTell('process.limit', `${quoted(file)} ${broken} and was stopped`));
    });
    // It may end without reading; its exit code tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
};

function notStarted(file: string, why: string): Error {
  return cannotTell('process.start', `could not start ${quoted(file)}: ${why}`, {
    hint: 'give its absolute path, or put it on PATH',
  });
}

/**
 * Becomes the other program where the platform can (execve), so that signals, terminal and exit code are its own. Elsewhere it is a child
 * that gets our signals.
 */
async function exec(process: NodeJS.Process, file: string, args: readonly string[]): Promise<number> {
  if (process.execve !== undefined && process.platform !== 'win32') {
    process.execve(file, [file, ...args], process.env as Record<string, string>);
  }
  const { spawn } = await childProcess();
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit' });
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const)
      process.on(signal, () => child.kill(signal));
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
  if (!input.isTTY || !terminal.isTTY) return undefined;
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
