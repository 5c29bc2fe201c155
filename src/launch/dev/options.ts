import { askedWrongly, type TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';

/** What a developer wants of a Triton dev container, in the words of triton-dev-containers.sh. */
export interface DevOptions {
  readonly device?: Device;
  readonly stack?: Stack;
  /** Named outright; else it follows from device and tag. */
  readonly image?: string;
  readonly tag?: string;
  readonly jobs?: number;
  /** Indices, UUIDs or MIG names of the GPUs that the container gets; absent: all of them. */
  readonly gpus?: readonly string[];
  /** `[ADDRESS:]PORT` of the notebook server. */
  readonly port?: string;
  readonly user?: string;
  /** A remote engine, as `podman --connection` and `docker --context` name it. */
  readonly connection?: string;
  readonly remove?: boolean;
  readonly verbose?: boolean;
  /** What is mounted, by the name of the source. */
  readonly sources: Readonly<Partial<Record<DevSource, string>>>;
  /** Variables that the scripts in the images understand. */
  readonly variables: Readonly<Record<string, string>>;
  /** Flags for the engine, as typed. */
  readonly engineFlags: readonly string[];
  readonly command: readonly string[];
}

export const devices = ['base', 'cpu', 'cuda', 'rocm'] as const;
export type Device = (typeof devices)[number];
export const stacks = ['helion', 'torch', 'triton', 'vllm'] as const;
export type Stack = (typeof stacks)[number];
export const sources = ['GITCONFIG', 'HELION', 'LLVM', 'TORCH', 'TRITON', 'USER', 'VLLM'] as const;
export type DevSource = (typeof sources)[number];

/** Values that a variable may have; `undefined`: any. A value is compared whole: "e" is not "release". */
const variables: Readonly<Record<string, readonly string[] | undefined>> = {
  CENTOS_VERSION: undefined,
  CUDA_VERSION: undefined,
  CUDA_VISIBLE_DEVICES: undefined,
  DISPLAY: undefined,
  INSTALL_HELION: ['nightly', 'release', 'source', 'test', 'skip'],
  INSTALL_JUPYTER: ['true', 'false'],
  INSTALL_LLVM: ['source', 'skip'],
  INSTALL_TOOLS: ['true', 'false'],
  INSTALL_TORCH: ['nightly', 'release', 'source', 'test', 'skip'],
  INSTALL_TRITON: ['release', 'source', 'skip'],
  INSTALL_VLLM: ['nightly', 'release', 'source', 'skip'],
  MAX_JOBS: undefined,
  NOTEBOOK_PORT: undefined,
  PIP_HELION_VERSION: undefined,
  PIP_TORCH_INDEX_URL: undefined,
  PIP_TORCH_VERSION: undefined,
  PIP_TRITON_VERSION: undefined,
  PIP_VLLM_COMMIT: undefined,
  PIP_VLLM_EXTRA_INDEX_URL: undefined,
  PIP_VLLM_VERSION: undefined,
  ROCM_VERSION: undefined,
  ROCR_VISIBLE_DEVICES: undefined,
  USERNAME: undefined,
  USE_CCACHE: ['0', '1'],
  UV_TORCH_BACKEND: undefined,
  WAYLAND_DISPLAY: undefined,
  XDG_RUNTIME_DIR: undefined,
};

const notebookPort = '8888';

/**
 * A variable as it is typed: its name in any case, its value in the case that the images know.
 *
 * @throws TcfError `run.option` (exit 3).
 */
export function readVariable(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).toUpperCase();
  const value = text.slice(equals + 1);
  if (equals < 1 || !Object.hasOwn(variables, name)) {
    throw wrong(
      `tcf run does not know the option ${quoted(text)}`,
      `one of ${Object.keys(variables).join(', ')}, as NAME=VALUE`,
    );
  }
  const known = variables[name];
  if (known !== undefined && !known.includes(value)) {
    throw wrong(`${name} cannot be ${quoted(value)}`, `one of ${known.join(', ')}`);
  }
  // An environment has no room for it, and an engine would read what follows as another variable.
  if (/[\0\n\r]/.test(value)) {
    throw wrong(`the value of ${name} has a line break`);
  }
  return [name, value];
}

/** `TRITON=~/triton`: its name in any case, the path as it is. @throws TcfError `run.source` (exit 3). */
export function readSource(text: string): readonly [DevSource, string] {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(equals, 0)).toUpperCase();
  const source = sources.find((candidate) => candidate === name);
  const path = text.slice(equals + 1);
  if (source === undefined || path === '') {
    throw wrong(
      `tcf run does not know the source ${quoted(text)}`,
      `NAME=PATH with one of ${sources.join(', ')}`,
    );
  }
  return [source, path];
}

export function readDevice(text: string): Device {
  const device = devices.find((candidate) => candidate === text.toLowerCase());
  if (device !== undefined) {
    return device;
  }
  throw wrong(
    `tcf run does not know the device ${quoted(text)}`,
    `one of ${devices.join(', ')}; flags of the engine stand before the name of the profile`,
  );
}

export function readStack(text: string): Stack {
  const stack = stacks.find((candidate) => candidate === text.toLowerCase());
  if (stack !== undefined) {
    return stack;
  }
  throw wrong(`tcf run does not know the stack ${quoted(text)}`, `one of ${stacks.join(', ')}`);
}

export function readJobs(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) {
    return Number(text);
  }
  throw wrong(`${quoted(text)} is not a number of jobs`);
}

/** `0,2`, `GPU-<uuid>`, `MIG-<uuid>`, `0:1`: a list. @throws TcfError `run.option` (exit 3). */
export function readGpus(text: string): readonly string[] | undefined {
  const names = text.split(',').map((name) => name.trim());
  if (names.length === 1 && names[0] === 'all') {
    return undefined;
  }
  const odd = names.find((name) => !/^(?:\d{1,3}(?::\d{1,3})?|(?:GPU|MIG)-[\w.-]+)$/.test(name));
  if (odd !== undefined) {
    throw wrong(`${quoted(odd)} is not a GPU`, 'indices, UUIDs or MIG names, such as 0,2');
  }
  if (new Set(names).size < names.length) {
    throw wrong(`${quoted(text)} names a GPU twice`);
  }
  return names;
}

/** `AUTO`, a port, or an address and a port; on loopback unless an address says otherwise. */
export function readPort(text: string): string {
  const port = text.toUpperCase() === 'AUTO' ? notebookPort : text;
  const [, address, number = port] = /^(.+):(\d+)$/.exec(port) ?? [];
  if (!/^[1-9]\d{0,4}$/.test(number) || Number(number) > 65_535) {
    throw wrong(`${quoted(text)} is not a port`, 'AUTO, PORT or ADDRESS:PORT');
  }
  return `${address ?? '127.0.0.1'}:${number}`;
}

export function wrong(message: string, hint?: string): TcfError {
  return askedWrongly('run.option', message, hint === undefined ? {} : { hint });
}

interface Draft {
  gpus?: readonly string[];
  device?: Device;
  stack?: Stack;
  image?: string;
  tag?: string;
  jobs?: number;
  port?: string;
  user?: string;
  connection?: string;
  remove?: boolean;
  verbose?: boolean;
  sources: Partial<Record<DevSource, string>>;
  variables: Record<string, string>;
}

type Take = (draft: Draft, value: string) => void;

/** Each option with its letter in the script; those without a value are listed in `switches`. */
const table: readonly (readonly [letter: string, name: string, take: Take])[] = [
  [
    '',
    'gpu',
    (draft, value) => {
      const gpus = readGpus(value);
      if (gpus !== undefined) {
        draft.gpus = gpus;
      }
    },
  ],
  [
    'c',
    'connection',
    (draft, value) => {
      draft.connection = value;
    },
  ],
  [
    'd',
    'device',
    (draft, value) => {
      draft.device = readDevice(value);
    },
  ],
  [
    'i',
    'image',
    (draft, value) => {
      draft.image = value;
    },
  ],
  [
    'j',
    'jobs',
    (draft, value) => {
      draft.jobs = readJobs(value);
    },
  ],
  [
    'k',
    'stack',
    (draft, value) => {
      draft.stack = readStack(value);
    },
  ],
  [
    'o',
    'option',
    (draft, value) => {
      const [name, text] = readVariable(value);
      draft.variables[name] = text;
    },
  ],
  [
    'p',
    'port',
    (draft, value) => {
      draft.port = readPort(value);
    },
  ],
  [
    'r',
    'rm',
    (draft) => {
      draft.remove = true;
    },
  ],
  [
    's',
    'source',
    (draft, value) => {
      const [name, path] = readSource(value);
      draft.sources[name] = path;
    },
  ],
  [
    't',
    'tag',
    (draft, value) => {
      draft.tag = value;
    },
  ],
  [
    'u',
    'user',
    (draft, value) => {
      draft.user = value;
    },
  ],
  [
    'v',
    'verbose',
    (draft) => {
      draft.verbose = true;
    },
  ],
];
const switches: ReadonlySet<string> = new Set(['rm', 'verbose']);

export interface ParsedDevOptions {
  readonly options: Omit<DevOptions, 'engineFlags'>;
  /** tcf's own flags, for whoever knows them. */
  readonly own: readonly string[];
  readonly help: boolean;
}

/**
 * Reads what follows the name of a profile: the options of triton-dev-containers.sh in getopts' grammar (`-d
 * cuda`, `-dcuda`, `-rv`), their long forms, tcf's own long flags, and a command after `--` or from the first
 * word on that is no option.
 *
 * @param ownFlags tcf's flags; `true`: with a value.
 * @throws TcfError `run.option` (exit 3).
 */
export function parseDevOptions(
  argv: readonly string[],
  ownFlags: Readonly<Record<string, boolean>>,
): ParsedDevOptions {
  const draft: Draft = { sources: {}, variables: {} };
  const own: string[] = [];
  let help = false;
  let at = 0;
  const next = (flag: string): string => {
    at += 1;
    const value = argv[at];
    if (value === undefined) {
      throw wrong(`${flag} needs a value`);
    }
    return value;
  };
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--') {
      at += 1;
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      break;
    }
    if (!word.startsWith('--')) {
      help ||= takeLetters(word, draft, next);
      continue;
    }
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const value = () => (equals < 0 ? next(`--${name}`) : word.slice(equals + 1));
    const entry = table.find(([, long]) => long === name);
    if (name === 'help') {
      help = true;
    } else if (entry !== undefined) {
      entry[2](draft, switches.has(name) ? '' : value());
    } else if (ownFlags[name] === true) {
      own.push(`--${name}=${value()}`);
    } else if (ownFlags[name] === false) {
      own.push(word);
    } else {
      throw wrong(
        `tcf run does not know the flag ${quoted(word)}`,
        'flags of the engine stand before the name of the profile',
      );
    }
  }
  return { options: { ...draft, command: argv.slice(at) }, own, help };
}

/**
 * Letters in one word, the last with its value behind it or in the next word. Returns whether help was asked
 * for.
 */
function takeLetters(word: string, draft: Draft, next: (flag: string) => string): boolean {
  for (let index = 1; index < word.length; index += 1) {
    const letter = word[index] ?? '';
    if (letter === 'h') {
      return true;
    }
    const entry = table.find(([short]) => short === letter);
    if (entry === undefined) {
      throw wrong(`tcf run does not know the option ${quoted(`-${letter}`)}`);
    }
    const [, name, take] = entry;
    if (switches.has(name)) {
      take(draft, '');
      continue;
    }
    take(draft, index + 1 < word.length ? word.slice(index + 1) : next(`-${letter}`));
    return false;
  }
  return false;
}
