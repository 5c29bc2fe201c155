import { PassThrough } from 'node:stream';
import { main } from '../../src/cli.ts';
import { verbs } from '../../src/commands/index.ts';
import type { VerbEntry } from '../../src/commands/verb.ts';
import { processHost } from '../../src/system/process-host.ts';

/** What every verb and action is given: enough to get past the flags, nothing that is there. */
const words: Readonly<Record<string, readonly string[]>> = {
  sbom: ['127.0.0.1:1/none:1'],
  sign: ['127.0.0.1:1/none:1', '--key', 'none.key'],
  verify: ['127.0.0.1:1/none:1'],
  gate: ['127.0.0.1:1/none:1'],
  run: ['evil'],
  up: ['evil'],
  exec: ['evil', 'true'],
  down: ['evil'],
  diff: ['a.json', 'b.json'],
  report: ['127.0.0.1:1/none:1'],
  tree: ['127.0.0.1:1/none:1'],
  licenses: ['127.0.0.1:1/none:1'],
  copy: ['oci:none', 'oci:other'],
  'policy init': ['127.0.0.1:1/none:1', '--key', 'none.pub'],
  'policy check': ['none.yaml'],
  'policy explain': ['127.0.0.1:1/none:1'],
  'policy export': ['none.yaml', '--to', 'kyverno'],
  'devcontainer init': ['127.0.0.1:1/none:1'],
  'devcontainer migrate': ['127.0.0.1:1/none:1'],
  'devcontainer allow': ['--', '--privileged'],
  'log prune': ['--keep', '1'],
  'trust import': ['none.json'],
  vulns: ['127.0.0.1:1/none:1'],
  which: ['CVE-2024-3094', '--from', '127.0.0.1:1/none'],
  'db build': ['none'],
  'db import': ['none.sqlite'],
  'db push': ['127.0.0.1:1/none:1'],
  'db pull': ['127.0.0.1:1/none:1'],
  'sign-bundle': ['none', '--bundle', 'none.json', '--key', 'none.key'],
  'verify-bundle': ['none', '--bundle', 'none.json', '--key', 'none.pub'],
  build: ['none/none'],
  'lock show': ['cpu'],
  'lock update': ['none/none'],
  'lock why': ['cpu', 'numpy'],
  keygen: [],
};

/** Calls of every verb and every action that people call. */
export async function everyCall(
  entries: readonly VerbEntry[] = verbs,
  path: readonly string[] = [],
): Promise<readonly (readonly string[])[]> {
  const calls: (readonly string[])[] = [];
  for (const entry of entries.filter(({ hidden }) => !hidden)) {
    const loaded = await entry.load();
    const own = [...path, entry.name];
    if ('actions' in loaded) {
      calls.push(...(await everyCall(loaded.actions, own)));
    } else {
      calls.push([...own, ...(words[own.join(' ')] ?? [])]);
    }
  }
  return calls;
}

export interface Surroundings {
  /** A function that throws: the folder is gone. */
  readonly cwd: string | (() => string);
  readonly env: Readonly<Record<string, string>>;
  /** An open file that standard output goes to, in place of the answer's text. */
  readonly file?: number;
}

/** One call with the real host of this process, but for folder, environment and output. */
export async function callWith(
  argv: readonly string[],
  { cwd, env, file }: Surroundings,
): Promise<{ readonly exit: number; readonly text: string }> {
  const output = new PassThrough();
  let text = '';
  output.on('data', (chunk) => {
    text += String(chunk);
  });
  const seen = new Proxy(process, {
    get: (target, name) => {
      if (name === 'env') {
        return env;
      }
      if (name === 'cwd') {
        return typeof cwd === 'string' ? () => cwd : cwd;
      }
      if (name === 'stdout' && file !== undefined) {
        return Object.assign(new PassThrough(), { fd: file });
      }
      if (name === 'stdout' || name === 'stderr') {
        return output;
      }
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const exit = await main(argv, processHost(seen));
  return { exit, text };
}
