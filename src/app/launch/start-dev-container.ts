import { compact } from '../../base/compact.ts';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { differences, formatProfile } from '../../launch/dev/made-with.ts';
import type { DevOptions } from '../../launch/dev/options.ts';
import {
  type Container,
  type Engine,
  findEngine,
  inspectContainer,
  type Launch,
  profileLabel,
  startContainer,
} from '../../launch/engine.ts';
import { shellLine } from '../../launch/shell.ts';
import type { Host } from '../../system/host.ts';
import { composeForHost } from './dev.ts';
import { checkContainer, containerName, removeContainer } from './dev-container.ts';
import { withDevLock } from './dev-lock.ts';
import { healthFlags } from './image-health.ts';
import { type AllowedImage, allowedImage, launchLines, platformFor } from './launching.ts';
import { tellMountedCaches } from './mounted-caches.ts';
import { waitUntilReady } from './ready.ts';
import type { StartRequest } from './start-verified.ts';

/** A dev container that goes on in the background. */
export interface DevStartRequest extends Pick<StartRequest, 'engine' | 'isDry' | 'question' | 'transport'> {
  readonly name: string;
  readonly wanted: DevOptions;
  /** Removes the container that is there, and makes it with the options of now. */
  readonly isRecreated: boolean;
  /** Seconds that a container which is made again has to end by itself. Default: its own time. */
  readonly stopTime?: number;
}

/** What became of it; `printed` where nothing was wanted but the commands. */
export type DevStarted =
  | { readonly kind: 'denied' | 'printed' }
  | { readonly kind: 'running'; readonly container: string };

/**
 * Verifies the image of a profile and starts a dev container of that name, or the one that is there. Returns
 * once it is ready; a denial is told, and nothing is started.
 *
 * @throws TcfError `dev.*`, `engine.*`, `run.*` (exit 2 and 3), and as verification does.
 */
export async function startDevContainer(host: Host, request: DevStartRequest): Promise<DevStarted> {
  const { isDry, name, wanted } = request;
  if (wanted.remove) {
    throw askedWrongly('run.option', 'a container of tcf up is removed by tcf down, not by --rm');
  }
  const since = host.now();
  const container = containerName(name);
  const engine = findEngine(host, request.engine);
  // Without a command of its own it waits; people come in with exec.
  const waiting = wanted.command.length === 0 ? withWaiting(wanted) : wanted;
  const composed = await composeForHost(host, engine, waiting);
  const { globals } = composed;
  const image = await allowedImage(host, { ...request.question(composed.image), engine: engine.name });
  if (image === undefined) {
    return { kind: 'denied' };
  }
  const question = request.question(composed.image);
  const health =
    engine.name === 'podman' && wanted.connection === undefined
      ? await healthFlags(host, question, composed.engineFlags)
      : [];
  const detached = ['--detach', `--name=${container}`, ...health, ...withoutTerminal(composed.engineFlags)];
  const profile = formatProfile({
    flags: detached,
    command: composed.command,
    image: image.verdict.allow.image.digest,
  });
  await tellMountedCaches(host, composed.engineFlags);
  const launch = compact({
    allow: image.verdict.allow,
    imageIds: image.imageIds,
    globals,
    engineFlags: [...detached, `--label=${profileLabel}=${profile}`],
    command: composed.command,
    plainHttp: request.transport.plainHttp,
    platform: platformFor(host, engine, image, request.transport.platform),
  });
  const work = () => start(host, { ...request, container, engine, image, launch, profile });
  const isStarted = isDry ? await work() : await withDevLock(host, container, work);
  if (!isStarted) {
    return { kind: 'printed' };
  }
  await waitUntilReady(host, engine, globals, container, since);
  return { kind: 'running', container };
}

/**
 * The first process of a container is not ended by a signal that it has no handler for, and sleep has none.
 */
function withWaiting(wanted: DevOptions): DevOptions {
  return {
    ...wanted,
    command: ['sleep', 'infinity'],
    engineFlags: ['--stop-signal=SIGKILL', ...wanted.engineFlags],
  };
}

function withoutTerminal(flags: readonly string[]): readonly string[] {
  return flags.filter((flag) => flag !== '--tty');
}

interface Work extends Pick<DevStartRequest, 'isDry' | 'isRecreated' | 'name' | 'stopTime'> {
  readonly container: string;
  readonly engine: Engine;
  readonly image: AllowedImage;
  readonly launch: Launch & Required<Pick<Launch, 'globals'>>;
  readonly profile: string;
}

/** Starts the container, or the one that is there. Returns whether there is something to wait for. */
async function start(host: Host, work: Work): Promise<boolean> {
  const { container, engine, isDry, isRecreated, launch, name } = work;
  const there = await inspectContainer(host, engine, launch.globals, container);
  if (there !== undefined && !isRecreated) {
    return await startAgain(host, there, work);
  }
  if (isDry) {
    await host.stdout.write(launchLines(engine, launch));
    return false;
  }
  if (there !== undefined) {
    const seconds = work.stopTime;
    await removeContainer(host, engine, launch.globals, there, compact({ name, seconds }));
  }
  await startContainer(host, engine, launch);
  return true;
}

async function startAgain(host: Host, there: Container, work: Work): Promise<boolean> {
  const { container, engine, image, isDry, launch, name, profile } = work;
  checkContainer(name, there, image);
  for (const line of differences(there.profile, profile)) {
    await host.stderr.write(`tcf: ${line}\n`);
  }
  if (there.isRunning) {
    return true;
  }
  // By its id: the name may belong to another container now.
  const line = [...launch.globals, 'start', there.id];
  if (isDry) {
    await host.stdout.write(`${shellLine(engine.name, line)}\n`);
    return false;
  }
  const started = await host.run(engine.path, line);
  if (started.code !== 0) {
    throw cannotTell(
      'engine.start',
      `${engine.name} did not start ${container}: ${printable(started.stderr.trim(), 1000)}`,
    );
  }
  return true;
}
