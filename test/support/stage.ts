import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../../src/cli.ts';
import { pushDemoImage } from './demo-image.ts';
import { folder, testHost } from './host.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import { newSigstore } from './sigstore.ts';
import { serveTuf, TestTuf } from './tuf.ts';

/**
 * A terminal in an empty folder, with tcf, a shell, a registry in memory that goes by the name of
 * `localhost:5000`, and a TUF mirror that goes by `localhost:5001`.
 */
export interface Stage extends AsyncDisposable {
  readonly path: string;
  readonly registry: TestRegistry;
  /** Types one line; what came back is standard output and error as they came. */
  type(line: string): Promise<{ readonly exit: number; readonly printed: string }>;
}

/**
 * The registry holds `localhost:5000/triton-dev:latest`, not signed by anybody, and
 * `localhost:5000/debian:12`, on which it is built; the mirror, a trusted root; `tuf-root.json` is where its
 * trust begins.
 */
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
  await pushDemoImage({ host: registry.host, repository: 'debian', tag: '12', isBase: true });
  const sigstore = newSigstore();
  const tuf = new TestTuf(sigstore.trustedRoot, now ?? new Date('2026-11-23T12:00:00Z'));
  const mirror = await serveTuf(tuf.files);
  writeFileSync(join(place.path, 'tuf-root.json'), tuf.anchor);
  writeFileSync(join(place.path, 'trusted_root.json'), sigstore.trustedRoot);
  const names = [
    ['localhost:5000', host],
    ['localhost:5001', new URL(mirror.url).host],
  ] as const;
  const toReal = (text: string) => names.reduce((all, [shown, real]) => all.replaceAll(shown, real), text);
  const toShown = (text: string) => names.reduce((all, [shown, real]) => all.replaceAll(real, shown), text);
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
      await mirror[Symbol.asyncDispose]();
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
