import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { deviceFlags } from './devices.ts';
import type { Machine } from './machine.ts';
import { type Device, type DevOptions, type DevSource, type Stack, sources, wrong } from './options.ts';
import { type CheckoutPin, pinFiles } from './pin.ts';

/** What is known of the folders that the options name. */
export interface Mounts {
  /** Absolute paths of the sources that are there. */
  readonly paths: Readonly<Partial<Record<DevSource, string>>>;
  /** The pin of the Triton checkout, where one is mounted and has one. */
  readonly pin?: CheckoutPin;
  /** Where caches live on the host. */
  readonly cacheRoot: string;
}

/** A command line for the engine, taken apart. */
export interface DevLaunch {
  readonly image: string;
  /** Before the verb: which engine is spoken to. */
  readonly globals: readonly string[];
  readonly engineFlags: readonly string[];
  readonly command: readonly string[];
  /** Folders of the host that have to be there. */
  readonly folders: readonly string[];
}

/** Where the images expect each source. */
const places: Readonly<Record<DevSource, string>> = {
  GITCONFIG: '/etc/gitconfig',
  HELION: '/workspace/helion',
  LLVM: '/workspace/llvm-project',
  TORCH: '/workspace/torch',
  TRITON: '/workspace/triton',
  USER: '/workspace/user',
  VLLM: '/workspace/vllm',
};

const defaults = {
  repository: 'quay.io/triton-dev-containers',
  centos: '9',
  cuda: '12-9',
  rocm: '7.1.1',
  port: '8888',
};

/** What a stack installs unless something else was said. */
const ofStack: Readonly<Record<Stack, Readonly<Record<string, string>>>> = {
  helion: { INSTALL_HELION: 'source', INSTALL_TORCH: 'release' },
  torch: { INSTALL_TORCH: 'source' },
  triton: { INSTALL_TORCH: 'release', INSTALL_TRITON: 'source' },
  vllm: { INSTALL_VLLM: 'source' },
};

/** Variables of the host that tune builds and devices, and go into the container as they are. */
const passedOn =
  /^(?:TRITON_\w+|MLIR_\w+|LLVM_\w+|HIP_VISIBLE_DEVICES|CUDA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES)$/;
/**
 * Those that name places: of the host, where they would override what the image says of its own
 * (`TRITON_HOME`, `LLVM_SYSPATH`).
 */
const namesPlace = /_(?:HOME|DIRS?|(?:SYS)?PATH)$/;

/** Whether a variable of the host means the same in a container. */
const means = (name: string, value: string): boolean =>
  passedOn.test(name) && !namesPlace.test(name) && !/^[/~]/.test(value);

/** A link job of LLVM or Triton takes about as much (triton#4249). */
const memoryOfJob = 4 * 1024 ** 3;

/**
 * Makes one command line of what a developer asked for. What triton-dev-containers.sh does is kept where it
 * works: names of variables, places of mounts, tags of images, what wins over what (an option over a mount
 * over a stack). Every word stays one word, whatever stands in it.
 *
 * @throws TcfError `run.option` (exit 3), `run.device` (exit 2).
 */
export function composeLaunch(options: DevOptions, machine: Machine, mounts: Mounts): DevLaunch {
  const device = options.device ?? 'base';
  const variables = variablesFor(options, device, machine, mounts);
  refuseUnpinnedLlvm(variables, mounts);
  const isRemote = options.connection !== undefined;
  const caches = isRemote ? [] : cachesFor(variables, mounts);
  const flags = [
    '--interactive',
    ...(machine.isTerminal ? ['--tty'] : []),
    ...(options.remove ? ['--rm'] : []),
    ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
    ...flagsOf(device, options, variables, machine, isRemote),
    ...portFlags(options, variables),
    ...(machine.engine === 'podman' && machine.isRootless ? ['--userns=keep-id'] : []),
    ...caches.flatMap(({ variable }) => (variable === undefined ? [] : [`--env=${variable}`])),
    ...volumes(mounts, caches, machine),
    ...options.engineFlags,
  ];
  return {
    image: options.image ?? `${defaults.repository}/${device}:${options.tag ?? tagFor(device, variables)}`,
    globals: engineGlobals(machine.engine, options.connection),
    engineFlags: flags,
    command: options.command.length === 0 ? ['bash'] : options.command,
    folders: caches.map(({ host }) => host),
  };
}

function tagFor(device: Device, variables: Readonly<Record<string, string>>): string {
  const centos = `centos${variables['CENTOS_VERSION'] ?? defaults.centos}`;
  const version = {
    base: undefined,
    cpu: undefined,
    cuda: variables['CUDA_VERSION'],
    rocm: variables['ROCM_VERSION'],
  }[device];
  return version === undefined ? centos : `${version}-${centos}`;
}

/** Which engine is spoken to, where it is not the one of this machine. */
export function engineGlobals(engine: Machine['engine'], connection: string | undefined): readonly string[] {
  if (connection === undefined) {
    return [];
  }
  return engine === 'podman' ? ['--remote', `--connection=${connection}`] : [`--context=${connection}`];
}

/**
 * The first to name a variable wins: the command line, then mounts, the stack, the device, the host's
 * environment.
 */
function variablesFor(
  { gpus, jobs, port, stack, user, variables }: DevOptions,
  device: Device,
  machine: Machine,
  { paths }: Mounts,
): Readonly<Record<string, string>> {
  const { env } = machine;
  const mounted = sources
    .filter((source) => paths[source] !== undefined && source !== 'GITCONFIG' && source !== 'USER')
    .map((source) => [`INSTALL_${source}`, 'source'] as const);
  const found = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value !== '' && means(name, value) ? [[name, value] as const] : [],
  );
  const who = user ?? variables['USERNAME'] ?? machine.user.name;
  return {
    ...Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(device === 'cuda'
      ? { CUDA_VERSION: defaults.cuda, CUDA_VISIBLE_DEVICES: visible(gpus, env['CUDA_VISIBLE_DEVICES']) }
      : {}),
    ...(device === 'rocm'
      ? {
          ROCM_VERSION: defaults.rocm,
          ROCR_VISIBLE_DEVICES: gpus?.join(',') ?? env['ROCR_VISIBLE_DEVICES'] ?? '0',
        }
      : {}),
    ...(stack === undefined ? {} : ofStack[stack]),
    ...Object.fromEntries(mounted),
    ...(port === undefined ? {} : { INSTALL_JUPYTER: 'true' }),
    ...(who === 'root' || who === ''
      ? {}
      : { USERNAME: who, USER_UID: String(machine.user.uid), USER_GID: String(machine.user.gid) }),
    MAX_JOBS: String(env['MAX_JOBS'] ?? defaultJobs(machine)),
    ...variables,
    ...(jobs === undefined ? {} : { MAX_JOBS: String(jobs) }),
    ...notebook(port, variables),
    ...windows(device, variables, machine),
  };
}

/** The GPUs that were chosen are all that the container has, and it counts them from 0. */
const visible = (gpus: readonly string[] | undefined, host: string | undefined): string =>
  gpus?.map((_, index) => index).join(',') ?? host ?? '0';

/** Where the images look for the socket of the display: NVIDIA's profilers have windows. */
const displayFolder = '/tmp';

/** The display of the host, where profilers were asked for and there is one. */
function windows(
  device: Device,
  variables: Readonly<Record<string, string>>,
  { env }: Machine,
): Readonly<Record<string, string>> {
  const display = waylandSocket(device, variables, env);
  if (display === undefined) {
    return {};
  }
  return {
    DISPLAY: variables['DISPLAY'] ?? env['DISPLAY'] ?? '',
    WAYLAND_DISPLAY: display.name,
    XDG_RUNTIME_DIR: displayFolder,
  };
}

function waylandSocket(
  device: Device,
  variables: Readonly<Record<string, string>>,
  env: Machine['env'],
): { readonly name: string; readonly host: string } | undefined {
  const name = variables['WAYLAND_DISPLAY'] ?? env['WAYLAND_DISPLAY'] ?? '';
  const folder = env['XDG_RUNTIME_DIR'] ?? '';
  const isAsked = device === 'cuda' && variables['INSTALL_TOOLS'] === 'true';
  if (!isAsked || !/^[\w.-]+$/.test(name) || !folder.startsWith('/') || !env['DISPLAY']) {
    return undefined;
  }
  return { name, host: join(folder, name) };
}

/**
 * As many as there are cores, unless memory is short: a build that is killed halfway is the slowest of all.
 */
export function defaultJobs({ cores, memory }: Pick<Machine, 'cores' | 'memory'>): number {
  return Math.max(1, Math.min(cores, Math.floor(memory / memoryOfJob)));
}

function notebook(
  port: string | undefined,
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (port === undefined && variables['INSTALL_JUPYTER'] !== 'true') {
    return {};
  }
  return { NOTEBOOK_PORT: portOf(port) ?? variables['NOTEBOOK_PORT'] ?? defaults.port };
}

const portOf = (port: string | undefined): string | undefined => port?.slice(port.lastIndexOf(':') + 1);

function portFlags({ port }: DevOptions, variables: Readonly<Record<string, string>>): readonly string[] {
  const inside = variables['NOTEBOOK_PORT'];
  if (inside === undefined || variables['INSTALL_JUPYTER'] !== 'true') {
    return [];
  }
  // A notebook server runs what it is told; it is for this machine unless an address says otherwise.
  return [`--publish=${port ?? `127.0.0.1:${inside}`}:${inside}`];
}

function flagsOf(
  device: Device,
  { gpus }: DevOptions,
  variables: Readonly<Record<string, string>>,
  machine: Machine,
  isRemote: boolean,
): readonly string[] {
  const { access, tools } = deviceFlags[device];
  const display = isRemote ? undefined : waylandSocket(device, variables, machine.env);
  return [
    ...(device === 'cuda' ? nvidiaFlags(machine, gpus, isRemote) : []),
    ...access,
    ...(device === 'rocm' ? amdGroups(machine, isRemote) : []),
    ...(variables['INSTALL_TOOLS'] === 'true' ? tools : []),
    ...(display === undefined ? [] : [`--volume=${display.host}:${displayFolder}/${display.name}:ro`]),
  ];
}

const nvidia = (name: string): string => `nvidia.com/gpu=${name}`;

/** GPUs by their names in CDI: `all`, an index, a UUID or a name of MIG. */
function nvidiaFlags(
  { cdi, engine }: Machine,
  gpus: readonly string[] | undefined,
  isRemote: boolean,
): readonly string[] {
  const there = cdi.filter((name) => name.startsWith(nvidia('')));
  if (isRemote || there.length > 0) {
    const wanted = (gpus ?? ['all']).map(nvidia);
    const missing = isRemote ? undefined : wanted.find((name) => !there.includes(name));
    if (missing === undefined) {
      return wanted.map((name) => `--device=${name}`);
    }
    if (gpus === undefined) {
      return eachOnce(there).map((name) => `--device=${name}`);
    }
    throw wrong(`CDI knows no ${missing} here`, `one of ${there.join(', ')}`);
  }
  if (engine === 'docker') {
    return ['--runtime=nvidia', gpus === undefined ? '--gpus=all' : `--gpus="device=${gpus.join(',')}"`];
  }
  // podman takes --gpus and does nothing with it: a container would start and find no GPU.
  throw cannotTell(
    'run.device',
    'podman finds NVIDIA GPUs through CDI, and this machine has no CDI file for them',
    {
      hint: 'nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
    },
  );
}

/**
 * A CDI file may list its GPUs without a name for all of them, and each by several names: by index (`0`, of
 * MIG `0:1`) and by UUID.
 */
function eachOnce(names: readonly string[]): readonly string[] {
  const byIndex = names.filter((name) => /=\d+(?::\d+)?$/.test(name));
  return byIndex.length > 0 ? byIndex : names;
}

function amdGroups(
  { amdGroups: groups, engine, hasKfd, isRootless }: Machine,
  isRemote: boolean,
): readonly string[] {
  if (isRemote) {
    return ['--group-add=render', '--group-add=video'];
  }
  if (!hasKfd) {
    throw cannotTell('run.device', 'there is no /dev/kfd on this machine', {
      hint: 'load the amdgpu driver, or use --device cpu',
    });
  }
  if (engine === 'podman' && isRootless) {
    return ['--group-add=keep-groups'];
  }
  // By number: the groups of the same name inside the image may be other ones.
  return groups.map((group) => `--group-add=${group}`);
}

/**
 * The scripts of the images build the LLVM that cmake/llvm-hash.txt names, and the default branch of LLVM
 * where that file is gone, without a word. So this is asked before anything is built.
 */
function refuseUnpinnedLlvm(variables: Readonly<Record<string, string>>, { paths, pin }: Mounts): void {
  if (variables['INSTALL_LLVM'] !== 'source' || paths.LLVM !== undefined || paths.TRITON === undefined) {
    return;
  }
  const hint = `mount a checkout of the LLVM that this Triton pins${pin === undefined ? '' : ` (${pin.commit})`}: --source LLVM=PATH`;
  if (pin === undefined) {
    throw wrong(
      `${quoted(paths.TRITON)} has no ${pinFiles.info} and no ${pinFiles.hash}, so nothing says which LLVM to build`,
      hint,
    );
  }
  if (pin.file !== pinFiles.hash) {
    throw wrong(
      `the images build the LLVM of ${pinFiles.hash}, and ${quoted(paths.TRITON)} has its pin in ${pin.file}`,
      hint,
    );
  }
}

interface Cache {
  readonly host: string;
  readonly inside: string;
  /** What tells the tool where its cache is, if it does not know. */
  readonly variable?: string;
}

/** Downloads of Triton's build, for each set of pins its own; and compiled objects. */
function cachesFor(
  variables: Readonly<Record<string, string>>,
  { cacheRoot, pin }: Mounts,
): readonly Cache[] {
  return [
    ...(pin === undefined
      ? []
      : [{ host: join(cacheRoot, `triton-${pin.key}`), inside: '/workspace/.triton' }]),
    ...(variables['USE_CCACHE'] === '1'
      ? [
          {
            host: join(cacheRoot, 'ccache'),
            // ~/.bashrc.d/00-ccache.sh of the images.
            inside: '/workspace/.cache/ccache',
            variable: 'CCACHE_DIR=/workspace/.cache/ccache',
          },
        ]
      : []),
  ];
}

function volumes({ paths }: Mounts, caches: readonly Cache[], { hasSelinux }: Machine): readonly string[] {
  const label = hasSelinux ? ':z' : '';
  const named = sources.flatMap((source) => {
    const path = paths[source];
    return path === undefined ? [] : [{ host: path, inside: places[source] }];
  });
  return [...named, ...caches].map(({ host, inside }) => {
    if (host.includes(':')) {
      throw wrong(
        `the path ${quoted(host)} has a colon, which engines take for the end of it`,
        'rename the folder or mount its parent',
      );
    }
    return `--volume=${host}:${inside}${label}`;
  });
}
