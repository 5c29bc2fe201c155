import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { codeOf } from './errors.ts';
import type { Finished, ProgramLimits, Ran, RunProgram } from './program.ts';

/** It takes some milliseconds to load, and most verifications start nothing. */
export const childProcess = (): Promise<typeof import('node:child_process')> => import('node:child_process');

/** Output of a helper process beyond this is cut: nothing we run has more to say. */
const maxProcessOutput = 1024 * 1024;

/** The absolute path of a program on the PATH; a relative entry of it does not count. */
export function findOnPath(name: string, path: string): string | undefined {
  for (const folder of path.split(delimiter)) {
    // A relative entry, such as ".", would let the current folder decide what runs.
    if (!isAbsolute(folder)) {
      continue;
    }
    const candidate = join(folder, name);
    if (isExecutable(candidate)) {
      return candidate;
    }
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) {
      return false;
    }
    throw error;
  }
}

/**
 * Runs a program to its end and keeps what it printed, up to 1 MiB of each stream.
 *
 * @throws TcfError `process.start` (exit 2).
 */
export async function run(file: string, args: readonly string[]): Promise<Finished> {
  const { spawn } = await childProcess();
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const text = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        if (text[name].length < maxProcessOutput) {
          text[name] += chunk;
        }
      });
    }
    child.on('error', (error) =>
      reject(cannotTell('process.start', `could not start ${file}: ${error.message}`)),
    );
    child.on('close', (code) => resolve({ code: code ?? 128, ...text }));
  });
}

/** Runs programs with this environment, whose PATH finds those without a slash. */
export function programRunner(env: Environment): RunProgram {
  return async (file, args, input, limits) => {
    const path = file.includes('/') ? file : findOnPath(file, env['PATH'] ?? '');
    if (path === undefined) {
      throw notStarted(file, 'it is not on PATH');
    }
    return await feed({ path, args, env }, input, limits);
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Call {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: Environment;
}

async function feed({ args, env, path: file }: Call, input: Uint8Array, limits: ProgramLimits): Promise<Ran> {
  const { spawn } = await childProcess();
  return await new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let broken: string | undefined;
    const stop = (why: string) => {
      broken ??= why;
      child.kill('SIGKILL');
      // Whoever inherited the pipes may live on; we do not wait for it.
      for (const stream of [child.stdin, child.stdout, child.stderr]) {
        stream.destroy();
      }
    };
    const timer = setTimeout(() => stop(`took longer than ${limits.timeout / 1000} s`), limits.timeout);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.output) {
        stop(`printed more than the limit of ${limits.output} bytes`);
      } else {
        stdout.push(chunk);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < maxProcessOutput) {
        stderr += chunk;
      }
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(notStarted(file, error.message));
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      if (broken === undefined) {
        resolve({ code: code ?? 128, stdout: Buffer.concat(stdout), stderr });
      } else {
        reject(cannotTell('process.limit', `${quoted(file)} ${broken} and was stopped`));
      }
    });
    // It may end without reading; its exit code tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

function notStarted(file: string, why: string): Error {
  return cannotTell('process.start', `could not start ${quoted(file)}: ${why}`, {
    hint: 'give its absolute path, or put it on PATH',
  });
}
