import { TcfError } from '../../base/error.ts';
import { isObject } from '../../base/json.ts';
import { quoted } from '../../base/text.ts';
import { type JudgedFlag, parseRunArguments } from '../arguments.ts';
import { hostVariables, namesProject } from '../flags/values.ts';
import type { DevContainer } from './document.ts';

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

/** A word for the engine that a project asks for. */
export interface EngineWord {
  /** The key of devcontainer.json that asks for it. */
  readonly key: string;
  readonly flag?: JudgedFlag;
  /** Why it cannot be read as a flag. */
  readonly problem?: string;
}

/** All that the CLI tells the engine in words of the project, each judged by the table of `tcf run`. */
export function engineWords({ members }: DevContainer): readonly EngineWord[] {
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

/**
 * The CLI puts variables of the host into whatever part of the file names them, and a container hands them on
 * to whoever it likes.
 */
export function variableWords(members: DevContainer['members']): readonly EngineWord[] {
  return Object.entries(members).flatMap(([key, value]) =>
    hostVariables(JSON.stringify(value) ?? '').flatMap((name) => judgeWords(key, [`--env=${name}`])),
  );
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
