import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Ran {
  readonly code: number;
  /** Both outputs, as they came. */
  readonly text: string;
}

/** Runs a real program in `cwd` to its end. */
export function run(
  cwd: string,
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, COSIGN_PASSWORD: 'interop', ...env } });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 128, text }));
  });
}

const main = join(import.meta.dirname, '../../src/main.ts');

/** The product, from source. `keygen` is the one verb used here that speaks to no registry. */
export function tcfIn(
  cwd: string,
): (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ran> {
  return (args, env) =>
    run(cwd, process.execPath, [main, ...args, ...(args[0] === 'keygen' ? [] : ['--allow-http'])], env);
}
