import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Recording } from './record.ts';

/* Copies of the project in which files may be changed, and test runs in them. */

const root = join(import.meta.dirname, '../..');
/** Milliseconds: a mutant that loops for ever is a dead one. */
const limit = 600_000;
/** Milliseconds for a run in which nothing was changed, and for the type checker. */
const longLimit = 6 * limit;

export function filesIn(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

export const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** A copy of what the tests need. */
export function copyTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcf-mutation-'));
  for (const name of [
    'src',
    'test',
    'fixtures',
    'policies',
    'docs',
    'bench',
    'images',
    'templates',
    'toolchain',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ]) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
    }[];
  }[];
}

export interface Stopper {
  readonly file: string;
  /** Of the test. */
  readonly name: string;
}

export interface Run {
  readonly passed: boolean;
  /** The first failure of each test file that failed; none where the run did not end. */
  readonly stoppers: readonly Stopper[];
  /** Milliseconds by test file. */
  readonly took: ReadonlyMap<string, number>;
}

/**
 * Runs test files in this order, up to the first failure; all of them where `environment` names a folder for
 * traces.
 */
export async function run(
  folder: string,
  tests: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<Run> {
  const output = join(folder, 'report.json');
  rmSync(output, { force: true });
  const code = await exitOf(
    folder,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/mutation/vitest.config.ts',
      '--reporter=json',
      `--outputFile=${output}`,
      ...tests,
    ],
    environment,
    environment === undefined ? limit : longLimit,
  );
  if (code === null) {
    return { passed: false, stoppers: [], took: new Map() };
  }
  const report = JSON.parse(readFileSync(output, 'utf8')) as Report;
  const results = report.testResults.map((result) => ({
    ...result,
    file: result.name.slice(folder.length + 1),
  }));
  return {
    passed: code === 0,
    stoppers: results.flatMap(({ file, message, assertionResults }) => {
      const failed = assertionResults.find(({ status }) => status === 'failed');
      return failed === undefined && message === ''
        ? []
        : [{ file, name: failed?.fullName ?? 'does not load' }];
    }),
    took: new Map(results.map(({ file, startTime, endTime }) => [file, endTime - startTime])),
  };
}

/**
 * By id of a function: the test files that enter it. Each file runs with modules of its own, so that nothing
 * is kept from another one.
 */
export async function runTraced(
  folder: string,
  tests: readonly string[],
): Promise<Run & { readonly entered: ReadonlyMap<string, ReadonlySet<string>> }> {
  const traces = join(folder, 'traces');
  mkdirSync(traces);
  const result = await run(folder, tests, { TCF_TRACE: traces });
  const entered = new Map<string, Set<string>>();
  for (const name of readdirSync(traces)) {
    const recording = JSON.parse(readFileSync(join(traces, name), 'utf8')) as Recording;
    const file = recording.file.slice(folder.length + 1);
    for (const id of recording.entered) {
      entered.set(id, (entered.get(id) ?? new Set()).add(file));
    }
  }
  return { ...result, entered };
}

/** Whether the tree still has the types that it says. */
export async function hasTypes(folder: string): Promise<boolean> {
  return (await exitOf(folder, ['node_modules/typescript/bin/tsc', '--noEmit'], undefined, longLimit)) === 0;
}

/** Null where the program was ended because it took too long. */
function exitOf(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> | undefined,
  timeout: number,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled'), ...environment },
      stdio: 'ignore',
      timeout,
      killSignal: 'SIGKILL',
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
}
