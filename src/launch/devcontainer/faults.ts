import { TcfError } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type JudgedFlag, parseRunArguments } from '../arguments.ts';
import { hostVariables, namesProject } from '../flags/values.ts';
import { shellLine } from '../shell.ts';
import {
  asksTcf,
  type DevContainer,
  initializeCommand,
  isObject,
  malformed,
  parseJsonc,
  pinnedImage,
} from './document.ts';

/**
 * Something that would let another image than the verified one start, the verified one unasked, or the
 * project at the host.
 */
export interface DevContainerFault {
  readonly message: string;
  readonly hint: string;
  /**
   * The flag of the engine that gives the project something of the host. It is the user's to give, by this
   * very word.
   */
  readonly word?: string;
}

/**
 * What a devcontainer.json may say without being looked at (devcontainers specification, "devcontainer.json
 * properties"): it concerns the inside of the container, or the editor. A key that is not known here or below
 * is refused.
 */
const harmlessKeys: ReadonlySet<string> = new Set(
  `$schema appPort containerEnv containerUser customizations devPort extensions forwardPorts hostRequirements image init initializeCommand name
  onCreateCommand otherPortsAttributes overrideCommand overrideFeatureInstallOrder portsAttributes postAttachCommand postCreateCommand
  postStartCommand remoteEnv remoteUser secrets settings shutdownAction updateContentCommand updateRemoteUserUID userEnvProbe waitFor
  workspaceFolder`.split(/\s+/),
);
/** What the CLI makes flags of the engine from. */
const engineKeys: ReadonlySet<string> = new Set(
  'capAdd mounts privileged runArgs securityOpt workspaceMount'.split(' '),
);

/** What makes the CLI build an image of its own, on top of the verified digest or beside it. */
export const builders: Readonly<Record<string, string>> = {
  build: 'a Dockerfile is built on images that nothing has verified',
  context: 'a Dockerfile is built on images that nothing has verified',
  dockerFile: 'a Dockerfile is built on images that nothing has verified',
  dockerComposeFile: 'Compose starts whatever images it names',
  runServices: 'Compose starts whatever images it names',
  service: 'Compose starts whatever images it names',
  features: 'Features are installed into a new image, on top of the verified one',
};

/**
 * Everything in a devcontainer.json that lets something unverified start, or gives the project the host.
 * None: it starts the image that it pins, after asking.
 *
 * @param allowed words of the engine that the user allows this project.
 */
export function faultsOf(
  container: DevContainer,
  file: string,
  allowed: readonly string[] = [],
): readonly DevContainerFault[] {
  const { members } = container;
  const faults: DevContainerFault[] = [];
  const fault = (message: string, hint: string) => faults.push({ message, hint });
  for (const [key, value] of Object.entries(members)) {
    const builds = Object.hasOwn(builders, key) ? builders[key] : undefined;
    // An empty list of Compose files means a file of Compose's own choice.
    if (builds !== undefined && !(key === 'features' && isEmptyObject(value))) {
      fault(
        `${quoted(key)}: ${builds}`,
        'put it into the image, build that in CI, sign it, and name it here by digest',
      );
    }
    if (builds === undefined && !harmlessKeys.has(key) && !engineKeys.has(key)) {
      fault(`tcf does not know the key ${quoted(key)}, which could start something`, 'leave it out');
    }
  }
  if (pinnedImage(container) === undefined) {
    const { image = '' } = members;
    const name = typeof image === 'string' ? image : JSON.stringify(image);
    fault(`the image ${quoted(name)} is not named by its digest`, 'tcf devcontainer pin');
  }
  if (members['updateRemoteUserUID'] !== false) {
    fault(
      'without "updateRemoteUserUID": false a new image with another user id is built on top',
      'tcf devcontainer pin',
    );
  }
  if (!asksTcf(container, file)) {
    fault(`"initializeCommand" is not ${JSON.stringify(initializeCommand(file))}`, 'tcf devcontainer pin');
  }
  const folder = members['workspaceFolder'];
  if (folder !== undefined && !isPlainFolder(folder)) {
    fault(
      `"workspaceFolder" is ${JSON.stringify(folder)}, which could end a mount that names it`,
      'write an absolute path without commas, colons and quotes; of variables it may have the name of the project',
    );
  }
  const words = [...engineWords(container), ...variableWords(members)];
  return [...faults, ...uniqueFaults(words.flatMap((asked) => faultOfWord(asked, allowed)))];
}

const uniqueFaults = (faults: readonly DevContainerFault[]): readonly DevContainerFault[] => [
  ...new Map(faults.map((fault) => [fault.word ?? fault.message, fault])).values(),
];

function isPlainFolder(folder: unknown): boolean {
  return (
    typeof folder === 'string' &&
    /^\/[^,:"\n$]*$/.test(folder.replaceAll(/\$\{localWorkspaceFolderBasename\}/g, 'x'))
  );
}

/**
 * The CLI puts variables of the host into whatever part of the file names them, and a container hands them on
 * to whoever it likes.
 */
function variableWords(members: DevContainer['members']): readonly EngineWord[] {
  return Object.entries(members).flatMap(([key, value]) =>
    hostVariables(JSON.stringify(value) ?? '').flatMap((name) => judgeWords(key, [`--env=${name}`])),
  );
}

/** Paths in the project that the engine mounts or reads: a link there may lead out of it. */
export function projectPaths(container: DevContainer): readonly string[] {
  return engineWords(container).flatMap(
    ({ flag }) => flag?.inProject ?? (flag !== undefined && namesProject(flag.word) ? '' : []),
  );
}

/** What the CLI tells the engine, each word with its value; variables of the container are among them. */
export function wordsForEngine(container: DevContainer): readonly string[] {
  const variables = ['containerEnv', 'remoteEnv'].flatMap((key) => {
    const value = container.members[key];
    return isObject(value)
      ? Object.entries(value).map(([name, text]) => `--env=${name}=${String(text)}`)
      : [];
  });
  return [...engineWords(container).flatMap(({ flag }) => flag?.word ?? []), ...variables];
}

interface EngineWord {
  /** The key of devcontainer.json that asks for it. */
  readonly key: string;
  readonly flag?: JudgedFlag;
  /** Why it cannot be read as a flag. */
  readonly problem?: string;
}

/** All that the CLI tells the engine in words of the project, each judged by the table of `tcf run`. */
function engineWords({ members }: DevContainer): readonly EngineWord[] {
  const { capAdd, mounts, privileged, runArgs, securityOpt, workspaceMount } = members;
  const list = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value].flat());
  const flags = (key: string, name: string, values: readonly unknown[]) =>
    values.flatMap((value) => {
      const text = name === 'mount' ? mountText(value) : value;
      return typeof text === 'string'
        ? judgeWords(key, [`--${name}=${text}`])
        : [
            {
              key,
              problem:
                name === 'mount' ? 'it is not a text, and no type, source and target' : 'it is not a text',
            },
          ];
    });
  return [
    ...(runArgs === undefined ? [] : judgeWords('runArgs', runArgs)),
    ...flags('mounts', 'mount', list(mounts)),
    ...flags('workspaceMount', 'mount', list(workspaceMount)),
    ...flags('capAdd', 'cap-add', list(capAdd)),
    ...flags('securityOpt', 'security-opt', list(securityOpt)),
    ...(privileged === undefined || privileged === false ? [] : judgeWords('privileged', ['--privileged'])),
  ];
}

/** The engine takes `runArgs` as they are, before the image. */
function judgeWords(key: string, words: unknown): readonly EngineWord[] {
  if (!Array.isArray(words) || words.some((word) => typeof word !== 'string')) {
    return [{ key, problem: 'it is not a list of texts' }];
  }
  const end = 'the-image';
  try {
    const { engineFlags, image, judged } = parseRunArguments([...(words as string[]), end], {});
    if (image !== end || engineFlags.length < words.length) {
      return [
        {
          key,
          problem: `${quoted(image === end ? '--' : (image ?? ''))} is not a flag, and what follows would stand in the place of the image`,
        },
      ];
    }
    return judged.map((flag) => ({ key, flag }));
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    return [{ key, problem: [error.message, error.hint].filter((text) => text !== undefined).join(': ') }];
  }
}

function faultOfWord(
  { flag, key, problem }: EngineWord,
  allowed: readonly string[],
): readonly DevContainerFault[] {
  if (problem !== undefined) {
    return [{ message: `${quoted(key)}: ${problem}`, hint: 'leave it out' }];
  }
  if (flag === undefined || flag.class === 'harmless' || allowed.includes(flag.word)) {
    return [];
  }
  return [
    {
      message: `${quoted(key)}: ${quoted(flag.word)} gives the project something of this machine: ${flag.why ?? ''}`,
      hint: `leave it out; or, if you trust this project with it: ${shellLine('tcf', ['devcontainer', 'allow', '--', flag.word])}`,
      word: flag.word,
    },
  ];
}

/** The argument of `--mount` that the CLI makes of it. */
function mountText(mount: unknown): string | undefined {
  if (typeof mount === 'string') {
    return mount;
  }
  if (!isObject(mount)) {
    return undefined;
  }
  const { source = '', target, type } = mount;
  const isText = [source, target, type].every((part) => typeof part === 'string');
  return isText ? `type=${type},src=${source},dst=${target}` : undefined;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/**
 * Keys of the image's label `devcontainer.metadata` that stay inside of the container. The CLI merges the
 * label into the configuration, so an image could ask for all others without a word in the project
 * (devcontainers specification, "Image Metadata").
 */
const insideKeys: ReadonlySet<string> = new Set(
  `containerEnv containerUser customizations forwardPorts hostRequirements id init onCreateCommand otherPortsAttributes overrideCommand
  portsAttributes postAttachCommand postCreateCommand postStartCommand remoteEnv remoteUser shutdownAction updateContentCommand
  updateRemoteUserUID userEnvProbe waitFor`.split(/\s+/),
);

/**
 * What the label asks for beyond the container, and what the project did not ask for itself.
 *
 * @param label JSON: an object or a list of objects.
 * @throws TcfError `devcontainer.malformed` (exit 3).
 */
export function powersOfLabel(label: string, { members }: DevContainer): readonly string[] {
  const what = 'the label devcontainer.metadata';
  const read = parseJsonc(label, what);
  const asked = new Set<string>();
  for (const entry of Array.isArray(read) ? read : [read]) {
    if (!isObject(entry)) {
      throw malformed(what, 'an entry is not an object');
    }
    for (const [key, value] of Object.entries(entry)) {
      const isNothing = value === false || (Array.isArray(value) && value.length === 0);
      const isOurs = JSON.stringify(members[key]) === JSON.stringify(value);
      if (isNothing || isOurs) {
        continue;
      }
      if (!insideKeys.has(key)) {
        asked.add(key);
      }
      for (const name of hostVariables(JSON.stringify(value) ?? '')) {
        asked.add(`\${localEnv:${name}}`);
      }
    }
  }
  return [...asked].sort();
}
