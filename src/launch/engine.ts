import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { lastLine, printable } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import type { Allow } from '../policy/decide.ts';
import type { Processes } from '../system/program.ts';

export interface Engine {
  readonly name: 'docker' | 'podman';
  readonly path: string;
}

/**
 * podman where it is installed, else docker, as triton-dev-containers.sh chooses.
 *
 * @throws TcfError `engine.missing` (exit 2).
 */
export function findEngine(processes: Processes, wanted?: 'docker' | 'podman'): Engine {
  const names = wanted === undefined ? (['podman', 'docker'] as const) : [wanted];
  for (const name of names) {
    const path = processes.find(name);
    if (path !== undefined) {
      return { name, path };
    }
  }
  throw cannotTell('engine.missing', `found no ${names.join(' or ')} on PATH`, {
    hint: 'install podman, or name the engine with --engine',
  });
}

export interface Launch {
  readonly allow: Allow;
  /**
   * Image ids that the engine may give to the verified content: config digest, or manifest digest with
   * containerd's store.
   */
  readonly imageIds: readonly Digest[];
  /** Flags before the verb, such as `--context` and `--connection`. */
  readonly globals?: readonly string[];
  readonly engineFlags: readonly string[];
  readonly command: readonly string[];
  readonly platform?: string;
  /** The registry is on loopback and the user asked for plain HTTP. */
  readonly plainHttp: boolean;
}

export function pullCommand(engine: Engine, launch: Launch): readonly string[] {
  const platform = launch.platform === undefined ? [] : ['--platform', launch.platform];
  const tls = launch.plainHttp && engine.name === 'podman' ? ['--tls-verify=false'] : [];
  return [...globalsOf(launch), 'pull', '--quiet', ...platform, ...tls, formatPinnedRef(launch.allow.image)];
}

/**
 * Always by digest and never pulled again: what was verified is what starts. docker with containerd's
 * store holds all platforms under one id and chooses at the start; podman holds the one that was pulled.
 */
export function runCommand(engine: Engine, launch: Launch): readonly string[] {
  const { platform } = launch;
  return [
    ...globalsOf(launch),
    'run',
    '--pull=never',
    ...(platform === undefined || engine.name === 'podman' ? [] : ['--platform', platform]),
    ...launch.engineFlags,
    formatPinnedRef(launch.allow.image),
    ...launch.command,
  ];
}

const globalsOf = ({ globals }: Pick<Launch, 'globals'>): readonly string[] => globals ?? [];

/**
 * Pulls the verified digest where the engine lacks it, checks that it holds that very content under it, and
 * starts it.
 *
 * @returns the exit code of the container.
 * @throws TcfError `engine.pull`, `engine.image-id` (exit 2); nothing has been started then.
 */
export async function launchContainer(processes: Processes, engine: Engine, launch: Launch): Promise<number> {
  await pullVerified(processes, engine, launch);
  return processes.exec(engine.path, runCommand(engine, launch));
}

/**
 * As `launchContainer`, but the container goes on in the background under a name.
 *
 * @throws TcfError also `engine.start` (exit 2).
 */
export async function startContainer(processes: Processes, engine: Engine, launch: Launch): Promise<void> {
  await pullVerified(processes, engine, launch);
  const started = await processes.run(engine.path, runCommand(engine, launch));
  if (started.code !== 0) {
    throw cannotTell('engine.start', `${engine.name} did not start it: ${lastLine(started.stderr)}`);
  }
}

/** Pulled only where the engine has nothing under that digest yet; what it has is compared either way. */
async function pullVerified(processes: Processes, engine: Engine, launch: Launch): Promise<void> {
  const name = formatPinnedRef(launch.allow.image);
  const inspect = () =>
    processes.run(engine.path, [...globalsOf(launch), 'image', 'inspect', '--format', '{{.Id}}', name]);
  let inspected = await inspect();
  if (inspected.code !== 0) {
    const pulled = await processes.run(engine.path, pullCommand(engine, launch));
    if (pulled.code !== 0) {
      throw cannotTell('engine.pull', `${engine.name} could not pull ${name}: ${lastLine(pulled.stderr)}`);
    }
    inspected = await inspect();
  }
  const id = fullId(inspected.stdout);
  if (inspected.code !== 0 || !launch.imageIds.some((known) => known === id)) {
    throw cannotTell(
      'engine.image-id',
      `${engine.name} holds ${printable(id || lastLine(inspected.stderr))} under ${name}, which is not what was verified`,
      {
        hint: `remove it with "${engine.name} image rm ${name}" and try again`,
      },
    );
  }
}

/** podman prints the bare digits, docker the whole digest. */
function fullId(text: string): string {
  return text.trim().replace(/^(?=[0-9a-f]{64}$)/, 'sha256:');
}

export interface Container {
  /** 64 hex digits. */
  readonly id: string;
  readonly isRunning: boolean;
  /** Id of the image that it was made from. */
  readonly imageId: string;
  /** The name of the image that it was made with. */
  readonly imageName: string;
  /** The user that the image's entry point makes, if one was asked for. */
  readonly user?: string;
  /** What runs in it once its entry point has ended its set-up. */
  readonly command: readonly string[];
  /** What its health check says; absent where it has none. */
  readonly health?: string;
  /** Of a container that does not run. */
  readonly exitCode: number;
  /** What `profileLabel` keeps. */
  readonly profile?: string;
  /** Seconds that it has to end by itself, where it was made with such a time. */
  readonly stopTimeout?: number;
  /** Whether it is asked to end with the signal that ends everything. */
  readonly isKilled: boolean;
}

/** Where a container keeps what it was made with. Always set by us, so an image cannot set it. */
export const profileLabel = 'dev.tcf.profile';

/**
 * What the engine says of a container; `undefined` where it has none of that name.
 *
 * @throws TcfError `engine.inspect` (exit 2).
 */
export async function inspectContainer(
  processes: Processes,
  engine: Engine,
  globals: readonly string[],
  name: string,
): Promise<Container | undefined> {
  const there = await processes.run(engine.path, [
    ...globals,
    'container',
    'ls',
    '--all',
    '--quiet',
    '--filter',
    `name=^${name}$`,
  ]);
  if (there.code !== 0) {
    throw cannotTell('engine.inspect', `${engine.name} lists no containers: ${lastLine(there.stderr)}`);
  }
  if (there.stdout.trim() === '') {
    return undefined;
  }
  return await describeContainer(processes, engine, globals, name);
}

/**
 * What the engine says of a container that is there, by its name or id.
 *
 * @throws TcfError `engine.inspect` (exit 2).
 */
export async function describeContainer(
  processes: Processes,
  engine: Engine,
  globals: readonly string[],
  name: string,
): Promise<Container | undefined> {
  const told = await processes.run(engine.path, [...globals, 'container', 'inspect', name]);
  if (told.code !== 0) {
    throw cannotTell('engine.inspect', `${engine.name} does not know ${name}: ${lastLine(told.stderr)}`);
  }
  const what = `what ${engine.name} says of ${name}`;
  const [shape] = new Shape(parseJson(told.stdout, what), what).list(1);
  if (shape === undefined) {
    return undefined;
  }
  const config = shape.get('Config');
  const state = shape.get('State');
  const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  const health = healthOf(state);
  const label = recordOf(config.optional('Labels')?.value)[profileLabel];
  const timeout = config.optional('StopTimeout')?.value;
  const code = state.optional('ExitCode')?.value;
  const env = config.optional('Env')?.value;
  const user = (Array.isArray(env) ? env.map(String) : [])
    .find((entry) => entry.startsWith('USERNAME='))
    ?.slice('USERNAME='.length);
  const id = shape.get('Id').string(64);
  if (!/^[0-9a-f]{64}$/.test(id)) {
    throw shape.get('Id').wrong('is not an id');
  }
  return compact({
    id,
    isRunning: state.get('Running').boolean(),
    exitCode: typeof code === 'number' ? code : 0,
    command: texts(config.optional('Cmd')?.value),
    health,
    ...(typeof label === 'string' ? { profile: label } : {}),
    ...(typeof timeout === 'number' ? { stopTimeout: timeout } : {}),
    // podman gives the number.
    isKilled: /^(?:9|(?:SIG)?KILL)$/.test(String(config.optional('StopSignal')?.value)),
    imageId: fullId(shape.get('Image').string(200)),
    imageName: config.get('Image').string(1000),
    ...(user === undefined || user === '' ? {} : { user }),
  });
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** podman 4.3 calls it Health as docker does, and leaves it empty where there is no check. */
function healthOf(state: Shape): string | undefined {
  const status = recordOf(state.optional('Health')?.value ?? state.optional('Healthcheck')?.value)['Status'];
  return typeof status === 'string' && status !== '' && status !== 'none' ? status : undefined;
}

/** Command lines of the processes in a container; `undefined` where the engine does not say. */
export async function processesIn(
  processes: Processes,
  engine: Engine,
  globals: readonly string[],
  id: string,
): Promise<readonly string[] | undefined> {
  // docker passes these on to ps, and wants a column of process ids; podman knows the columns by name.
  const columns = engine.name === 'podman' ? ['pid', 'args'] : ['-eo', 'pid,args'];
  const top = await processes.run(engine.path, [...globals, 'top', id, ...columns]);
  if (top.code !== 0) {
    return undefined;
  }
  return top.stdout
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^\d+\s+/, ''));
}

/** What an engine gives a container to end by itself where nothing else was said. */
const stopTime = 10;

/** Seconds after which a container is ended that does not end by itself. */
export const stopTimeOf = ({ isKilled, isRunning, stopTimeout }: Container): number =>
  isRunning && !isKilled ? (stopTimeout ?? stopTime) : 0;

/**
 * Ends a container and removes it. podman does both at once; docker's `rm --force` would end it without
 * asking.
 *
 * @param seconds that it has to end by itself.
 * @throws TcfError `engine.remove` (exit 2).
 */
export async function endContainer(
  processes: Processes,
  engine: Engine,
  globals: readonly string[],
  { id, isRunning }: Container,
  seconds: number,
): Promise<void> {
  const lines =
    engine.name === 'podman'
      ? [['rm', '--force', '--time', String(seconds), id]]
      : [...(isRunning && seconds > 0 ? [['stop', '-t', String(seconds), id]] : []), ['rm', '--force', id]];
  for (const line of lines) {
    const ended = await processes.run(engine.path, [...globals, ...line]);
    if (ended.code !== 0) {
      throw cannotTell(
        'engine.remove',
        `${engine.name} did not remove the container: ${printable(ended.stderr.trim(), 1000)}`,
      );
    }
  }
}
