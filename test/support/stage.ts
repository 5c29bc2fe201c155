import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/cli.ts';
import { pushDemoImage } from './demo-image.ts';
import { folder, testHost } from './host.ts';
import { startRegistry, type TestRegistry } from './registry.ts';

/** A terminal in an empty folder, with tcf, a shell, and a registry in memory that goes by the name of `localhost:5000`. */
export interface Stage extends AsyncDisposable {
  readonly path: string;
  readonly registry: TestRegistry;
  /** Types one line; what came back is standard output and error as they came. */
  type(line: string): Promise<{ readonly exit: number; readonly printed: string }>;
}

const shown = 'localhost:5000';

/** The registry holds `localhost:5000/triton-dev:latest`, not signed by anybody. */
export async function startStage(now?: Date): Promise<Stage> {
  const place = folder();
  const registry = await startRegistry();
  mkdirSync(join(place.path, 'home'));
  const host = registry.host.replace('127.0.0.1', 'localhost');
  await pushDemoImage({ host: registry.host, repository: 'triton-dev', tag: 'latest' });
  await pushDemoImage({
    host: registry.host,
    repository: 'triton-dev',
    tag: 'moved',
    llvm: '1f126a6dea50d185c0781743a667390037ae88bd',
  });
  const toReal = (text: string) => text.replaceAll(shown, host);
  const toShown = (text: string) => text.replaceAll(host, shown);
  writeFileSync(
    join(place.path, 'policy.yaml'),
    toReal(readFileSync(join(import.meta.dirname, 'stage-policy.yaml'), 'utf8')),
  );

  return {
    path: place.path,
    registry,
    type: async (line) => {
      const [program, ...args] = toReal(line).split(/\s+/);
      if (program !== 'tcf') {
        const ran = await shell(toReal(line), place.path);
        return { exit: ran.exit, printed: toShown(ran.printed) };
      }
      const terminal = testHost({
        cwd: place.path,
        env: { COSIGN_PASSWORD: 'demo' },
        ...(now === undefined ? {} : { now }),
      });
      const exit = await main(args, terminal);
      return { exit, printed: toShown(terminal.all()) };
    },
    [Symbol.asyncDispose]: async () => {
      await registry.close();
      place[Symbol.dispose]();
    },
  };
}

function shell(line: string, cwd: string): Promise<{ readonly exit: number; readonly printed: string }> {
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['--norc', '--noprofile', '-c', line],
      { cwd, env: { PATH: '/usr/bin:/bin' } },
      (error, stdout, stderr) => {
        resolve({ exit: error === null ? 0 : Number(error.code ?? 1), printed: stdout + stderr });
      },
    );
  });
}
