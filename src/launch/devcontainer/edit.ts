import { applyEdits, type JSONPath, modify } from 'jsonc-parser';
import { askedWrongly } from '../../base/error.ts';
import { isObject } from '../../base/json.ts';
import { asksTcf, type DevContainer, initializeCommand, parseDevContainer } from './document.ts';
import { builders } from './faults.ts';

type Change = readonly [path: JSONPath, value: unknown];

const formattingOptions = { insertSpaces: true, tabSize: 2 };

/** Sets members, or takes them away where the value is `undefined`; comments and all else stay. */
function edit(text: string, changes: readonly Change[]): string {
  return changes.reduce(
    (before, [path, value]) => applyEdits(before, modify(before, path, value, { formattingOptions })),
    text,
  );
}

const pins = (pinned: string, file: string): readonly Change[] => [
  [['image'], pinned],
  [['initializeCommand'], initializeCommand(file)],
  [['updateRemoteUserUID'], false],
];

/**
 * The text with the image by its digest and tcf asked before each start; comments and all else stay. What
 * cannot be pinned is left, and is a fault afterwards.
 *
 * @param pinned `registry/repository[:tag]@digest`.
 * @throws TcfError `devcontainer.command` (exit 3) where the project has a command of its own there.
 */
export function pinDevContainer(container: DevContainer, pinned: string, file: string): string {
  const own = container.members['initializeCommand'];
  if (own !== undefined && !asksTcf(container, file)) {
    throw askedWrongly('devcontainer.command', `"initializeCommand" is ${JSON.stringify(own)} already`, {
      hint: 'a command beside tcf could end with 130, which starts the container all the same; move it to "onCreateCommand", or into a script that people call',
    });
  }
  return edit(container.text, pins(pinned, file));
}

/**
 * A file that builds its image, turned into one that starts a verified image: what builds is taken out, the
 * GPU comes by CDI (podman does nothing with `--gpus`, and `--runtime` names a program of the host), and what
 * else the file says stays.
 */
export function migrateDevContainer(
  container: DevContainer,
  pinned: string,
  file: string,
): { readonly text: string; readonly removed: readonly string[] } {
  const { members } = container;
  const removed = Object.keys(builders).filter((key) => members[key] !== undefined);
  const runArgs = toCdi(members['runArgs']);
  const text = edit(container.text, [
    ...removed.map((key): Change => [[key], undefined]),
    ...(runArgs === undefined ? [] : [[['runArgs'], runArgs] satisfies Change]),
    // The CLI looks for docker's runtime of NVIDIA there, and adds --gpus.
    ...(isObject(members['hostRequirements']) && runArgs !== undefined
      ? [[['hostRequirements', 'gpu'], undefined] satisfies Change]
      : []),
  ]);
  return { text: pinDevContainer(parseDevContainer(text, file), pinned, file), removed };
}

const nvidia = '--device=nvidia.com/gpu=all';

/** The arguments with NVIDIA's GPUs by CDI; `undefined` where there is nothing to change. */
function toCdi(runArgs: unknown): readonly string[] | undefined {
  if (!Array.isArray(runArgs) || runArgs.some((word) => typeof word !== 'string')) {
    return undefined;
  }
  const words = (runArgs as readonly string[]).flatMap((word, index, all) => {
    const before = all[index - 1];
    if (before === '--gpus' || (before === '--runtime' && word === 'nvidia')) {
      return [];
    }
    if (word === '--gpus' || /^--gpus=/.test(word)) {
      return [nvidia];
    }
    if (word === '--runtime=nvidia' || (word === '--runtime' && all[index + 1] === 'nvidia')) {
      return [];
    }
    return [word];
  });
  return words.includes(nvidia) ? words : undefined;
}

/** What this machine and its user add to a new devcontainer.json. */
export interface DevContainerChoices {
  /** They give it the GPU. */
  readonly runArgs: readonly string[];
  /** SELinux enforces: the checkout gets a label that the container may read. */
  readonly relabel?: boolean;
  /** The user inside; rootless podman then gives it the ids of the caller. */
  readonly user?: string;
}

/** A devcontainer.json for a Triton checkout. */
export function newDevContainer(
  pinned: string,
  { relabel = false, runArgs, user }: DevContainerChoices,
  file: string,
): string {
  const args = [...runArgs, ...(user === undefined ? [] : ['--userns=keep-id'])];
  const config = {
    name: 'Triton',
    image: pinned,
    initializeCommand: initializeCommand(file),
    updateRemoteUserUID: false,
    ...(user === undefined ? {} : { remoteUser: user, containerUser: user }),
    // Ninja, compile_commands.json and an editable install keep absolute paths: the checkout is at the same
    // one everywhere.
    workspaceMount: `source=\${localWorkspaceFolder},target=/workspace/triton,type=bind${relabel ? ',Z' : ''}`,
    workspaceFolder: '/workspace/triton',
    ...(args.length === 0 ? {} : { runArgs: args }),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
