import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesOf } from '../../src/base/bytes.ts';
import { main } from '../../src/cli.ts';
import type { Host } from '../../src/system/host.ts';
import type { Finished, RunProgram } from '../../src/system/program.ts';

export interface TestHost extends Host {
  /** Every process that was run or exec'd: file and arguments. */
  readonly started: string[][];
  readonly out: () => string;
  readonly err: () => string;
  /** Both, in the order in which they came. */
  readonly all: () => string;
}

export interface TestHostOptions {
  readonly cwd: string;
  /** Default: the one of the test. */
  readonly uid?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: Date;
  /** What an engine answers; without it every process "succeeds" silently. */
  readonly answer?: (args: readonly string[]) => Partial<Finished>;
  readonly secret?: string;
  readonly program?: RunProgram;
  /** Programs on PATH beside podman. */
  readonly found?: readonly string[];
  /** Whether somebody sits there. Default: nobody. */
  readonly terminal?: boolean;
  readonly stdin?: string;
  /** How tcf was started. */
  readonly self?: readonly string[];
  /** When a server is told to end. Default: at once. */
  readonly stopped?: () => Promise<void>;
}

/**
 * A host without a world: an empty environment, a fixed clock, engines that only write down what they were
 * told.
 */
export function testHost(options: TestHostOptions): TestHost {
  const started: string[][] = [];
  const text = { out: '', err: '', all: '' };
  const output = (name: 'err' | 'out') => ({
    isTerminal: options.terminal ?? false,
    hasColor: false,
    write: async (chunk: string | Uint8Array) => {
      const written = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      text[name] += written;
      text.all += written;
    },
  });
  return {
    // The store of whoever runs the tests must not answer them.
    env: { CONTAINERS_STORAGE_CONF: join(import.meta.dirname, 'storage.conf'), ...options.env },
    cwd: options.cwd,
    home: join(options.cwd, 'home'),
    uid: options.uid ?? process.getuid?.() ?? -1,
    machine: { config: join(options.cwd, 'etc/tcf'), state: join(options.cwd, 'var/lib/tcf') },
    architecture: 'amd64',
    self: options.self ?? ['/usr/bin/node', '/usr/lib/tcf/tcf.js'],
    stdin: bytesOf(Buffer.from(options.stdin ?? '')),
    onInterrupt: () => {},
    stopped: options.stopped ?? (async () => {}),
    stdout: output('out'),
    stderr: output('err'),
    now: () => options.now ?? new Date('2026-11-23T12:00:00Z'),
    sleep: virtualSleep,
    askSecret: async () => options.secret,
    find: (name) => (['podman', ...(options.found ?? [])].includes(name) ? `/usr/bin/${name}` : undefined),
    run: async (file, args) => {
      started.push([file, ...args]);
      return { code: 0, stdout: '', stderr: '', ...options.answer?.(args) };
    },
    program: async (file, args, input, limits) => {
      started.push([file, ...args]);
      if (options.program !== undefined) {
        return await options.program(file, args, input, limits);
      }
      return { code: 127, stdout: new Uint8Array(), stderr: 'the test has no such program' };
    },
    exec: async (file, args) => {
      started.push([file, ...args]);
      return options.answer?.(args).code ?? 0;
    },
    started,
    out: () => text.out,
    err: () => text.err,
    all: () => text.all,
  };
}

/** Longer than any deadline of a test. */
const forEver = 10_000;

/** A wait is over at the next turn of the loop; one that outlasts a deadline ends with the deadline. */
const virtualSleep: Host['sleep'] = (ms, signal) =>
  new Promise((done) => {
    if (signal === undefined || ms < forEver) {
      setImmediate(done);
    } else {
      signal.addEventListener('abort', () => done(), { once: true });
    }
  });

export interface Called {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
  readonly started: readonly string[][];
}

/** Types one command line, as a person would. */
export async function type(argv: readonly string[], options: TestHostOptions): Promise<Called> {
  const host = testHost(options);
  const exit = await main(argv, host);
  return { exit, out: host.out(), err: host.err(), started: host.started };
}

/** An empty folder for one test, gone afterwards. */
export function folder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'tcf-test-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
