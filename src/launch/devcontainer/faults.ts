import type { Diagnostic } from '../../base/diagnostic.ts';
import { quoted } from '../../base/text.ts';
import { shellLine } from '../shell.ts';
import { asksTcf, type DevContainer, initializeCommand, pinnedImage } from './document.ts';
import { type EngineWord, engineWords, variableWords } from './engine-words.ts';

/**
 * Something that would let another image than the verified one start, the verified one unasked, or the
 * project at the host.
 */
export interface DevContainerFault extends Diagnostic {
  readonly hint: string;
  /**
   * The flag of the engine that gives the project something of the host. It is the user's to give, by this
   * very word.
   */
  readonly word?: string;
}

/** One about a file of a dev container. */
export function faultOf(code: string, subject: string, message: string, hint: string): DevContainerFault {
  return { level: 'error', code: `devcontainer.${code}`, subject, message, hint };
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
  return [
    ...Object.entries(container.members).flatMap((member) => faultsOfMember(file, member)),
    ...faultsOfStart(container, file),
    ...faultsOfFolder(file, container.members['workspaceFolder']),
    ...uniqueFaults(
      [...engineWords(container), ...variableWords(container.members)].flatMap((asked) =>
        faultOfWord(file, asked, allowed),
      ),
    ),
  ];
}

const uniqueFaults = (faults: readonly DevContainerFault[]): readonly DevContainerFault[] => [
  ...new Map(faults.map((fault) => [fault.word ?? fault.message, fault])).values(),
];

function faultsOfMember(
  file: string,
  [key, value]: readonly [string, unknown],
): readonly DevContainerFault[] {
  const builds = Object.hasOwn(builders, key) ? builders[key] : undefined;
  // An empty list of Compose files means a file of Compose's own choice.
  if (builds !== undefined && !(key === 'features' && isEmptyObject(value))) {
    const hint = 'put it into the image, build that in CI, sign it, and name it here by digest';
    return [faultOf('builds', file, `${quoted(key)}: ${builds}`, hint)];
  }
  if (builds !== undefined || harmlessKeys.has(key) || engineKeys.has(key)) {
    return [];
  }
  const message = `tcf does not know the key ${quoted(key)}, which could start something`;
  return [faultOf('unknown-key', file, message, 'leave it out')];
}

function faultsOfFolder(file: string, folder: unknown): readonly DevContainerFault[] {
  if (folder === undefined || isPlainFolder(folder)) {
    return [];
  }
  return [
    faultOf(
      'folder',
      file,
      `"workspaceFolder" is ${JSON.stringify(folder)}, which could end a mount that names it`,
      'write an absolute path without commas, colons and quotes; of variables it may have the name of the project',
    ),
  ];
}

function isPlainFolder(folder: unknown): boolean {
  return (
    typeof folder === 'string' &&
    /^\/[^,:"\n$]*$/.test(folder.replaceAll(/\$\{localWorkspaceFolderBasename\}/g, 'x'))
  );
}

/** Whether the image that is pinned starts, and only after tcf was asked. */
function faultsOfStart(container: DevContainer, file: string): readonly DevContainerFault[] {
  const { image = '', updateRemoteUserUID } = container.members;
  const name = typeof image === 'string' ? image : JSON.stringify(image);
  const fault = (code: string, message: string) => faultOf(code, file, message, 'tcf devcontainer pin');
  return [
    ...(pinnedImage(container) === undefined
      ? [fault('unpinned', `the image ${quoted(name)} is not named by its digest`)]
      : []),
    ...(updateRemoteUserUID === false
      ? []
      : [
          fault(
            'rebuilt',
            'without "updateRemoteUserUID": false a new image with another user id is built on top',
          ),
        ]),
    ...(asksTcf(container, file)
      ? []
      : [fault('unasked', `"initializeCommand" is not ${JSON.stringify(initializeCommand(file))}`)]),
  ];
}

function faultOfWord(
  file: string,
  { flag, key, problem }: EngineWord,
  allowed: readonly string[],
): readonly DevContainerFault[] {
  if (problem !== undefined) {
    return [faultOf('word', file, `${quoted(key)}: ${problem}`, 'leave it out')];
  }
  if (flag === undefined || flag.class === 'harmless' || allowed.includes(flag.word)) {
    return [];
  }
  const message = `${quoted(key)}: ${quoted(flag.word)} gives the project something of this machine: ${flag.why ?? ''}`;
  const allow = shellLine('tcf', ['devcontainer', 'allow', '--', flag.word]);
  const hint = `leave it out; or, if you trust this project with it: ${allow}`;
  return [{ ...faultOf('host-access', file, message, hint), word: flag.word }];
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
