import { cannotTell } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type Container, describeContainer, type Engine, processesIn } from '../../launch/engine.ts';
import type { Host } from '../../system/host.ts';

/** Milliseconds between two looks at a container that is being set up. */
const pause = 1000;

export type Readiness =
  | { readonly kind: 'ready' }
  /** Its health check has not passed yet, or its entry point has not come to the command. */
  | { readonly kind: 'setting-up' }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * Whether a container is set up: by its health check where it has one, else when its command runs, which the
 * entry points of the images start last (they make the user and install software before).
 */
export async function readinessOf(
  host: Host,
  engine: Engine,
  globals: readonly string[],
  container: Container,
): Promise<Readiness> {
  if (!container.isRunning) {
    return { kind: 'failed', why: `it ended with exit code ${container.exitCode}` };
  }
  if (container.health === 'healthy') {
    return { kind: 'ready' };
  }
  if (container.health === 'unhealthy') {
    return { kind: 'failed', why: 'its health check fails' };
  }
  if (container.health !== undefined) {
    return { kind: 'setting-up' };
  }
  const running = await processesIn(host, engine, globals, container.id);
  const command = container.command.join(' ');
  // An engine that does not list processes cannot be waited for.
  const isReady = running === undefined || command === '' || running.includes(command);
  return isReady ? { kind: 'ready' } : { kind: 'setting-up' };
}

/**
 * Waits until a container is set up, with what it says on the terminal meanwhile.
 *
 * @param since the moment from which on its output is shown.
 * @throws TcfError `dev.setup` (exit 2): it ended, or its health check fails.
 */
export async function waitUntilReady(
  host: Host,
  engine: Engine,
  globals: readonly string[],
  name: string,
  since: Date,
): Promise<Container> {
  let shown = since;
  for (;;) {
    const container = await describeContainer(host, engine, globals, name);
    await askHealth(host, engine, globals, container);
    if (container === undefined) {
      throw cannotTell('dev.setup', `${name} is gone`);
    }
    const state = await readinessOf(host, engine, globals, container);
    const now = host.now();
    await showOutput(host, engine, [...globals, 'logs', ...window(shown, now), container.id]);
    shown = now;
    if (state.kind === 'ready') {
      return container;
    }
    if (state.kind === 'failed') {
      throw cannotTell('dev.setup', `the set-up of ${name} failed: ${state.why}`, {
        hint: `${engine.name} logs ${name} shows all that it said; tcf down removes it`,
      });
    }
    await host.sleep(pause);
  }
}

/**
 * podman leaves the check to a timer of systemd, which not every machine has. What it finds is seen at the
 * next look.
 */
async function askHealth(
  host: Host,
  engine: Engine,
  globals: readonly string[],
  container: Container | undefined,
): Promise<void> {
  if (engine.name === 'podman' && container?.isRunning === true && container.health === 'starting') {
    await host.run(engine.path, [...globals, 'healthcheck', 'run', container.id]);
  }
}

const window = (since: Date, until: Date): readonly string[] => [
  `--since=${since.toISOString()}`,
  `--until=${until.toISOString()}`,
];

async function showOutput(host: Host, engine: Engine, args: readonly string[]): Promise<void> {
  const { stderr, stdout } = await host.run(engine.path, args);
  for (const line of `${stdout}${stderr}`.split('\n')) {
    if (line.trim() !== '') {
      await host.stderr.write(`  ${printable(line, 1000)}\n`);
    }
  }
}
