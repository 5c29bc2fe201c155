import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { type FlagClass, findRunFlag, findRunLetter, judgeFlag, type RunFlag } from './flags/table.ts';
import type { Judgement } from './flags/values.ts';

/** A command line of `tcf run`, taken apart: ours, the engine's, the image and what runs in it. */
export interface RunArguments {
  readonly own: Readonly<Record<string, readonly string[]>>;
  /** Flags for the engine, as typed. */
  readonly engineFlags: readonly string[];
  /** The same flags one by one, with what each does. */
  readonly judged: readonly JudgedFlag[];
  /** Absent only where `--help` asks for no image. */
  readonly image?: string;
  readonly command: readonly string[];
}

/**
 * A flag of the engine with its value. What is left here is `harmless` or of the `host`: the rest is refused
 * while reading.
 */
export interface JudgedFlag extends Judgement {
  readonly class: FlagClass;
  /** `--name=value`, or `--name` for a switch: the same word however it was typed. */
  readonly word: string;
}

/** tcf's own flags of `tcf run`; `true`: the flag takes a value. */
export type OwnFlags = Readonly<Record<string, boolean>>;

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * What `podman exec` and `docker exec` take beside a container. `-l`, a label for `run`, means "the latest
 * container" there, and `--cidfile` reads another name.
 */
export const execFlags: ReadonlySet<string> = words(`
  detach detach-keys env env-file interactive preserve-fd preserve-fds privileged tty user workdir d e i t u w`);

/**
 * Takes the arguments after `tcf run` apart. Where the image stands can only be told if it is known which
 * flags take a value: a flag that is not in the table could swallow the image, and the next word would start
 * in its place, unverified.
 *
 * @param only the flags of the engine that are taken, where not all of them are.
 * @throws TcfError `run.flag` or `run.no-image` (exit 3).
 */
export function parseRunArguments(
  argv: readonly string[],
  ownFlags: OwnFlags,
  only?: ReadonlySet<string>,
): RunArguments {
  const own: Record<string, string[]> = {};
  const engineFlags: string[] = [];
  const judged: JudgedFlag[] = [];
  let at = 0;
  const value = (flag: string): string => {
    at += 1;
    const next = argv[at];
    if (next === undefined) {
      throw askedWrongly('run.flag', `${flag} needs a value`);
    }
    return next;
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
    const start = at;
    if (!word.startsWith('--')) {
      judged.push(...readLetters(word, only, value));
    } else {
      const { inline, name } = splitLong(word);
      if (Object.hasOwn(ownFlags, name)) {
        if (!ownFlags[name] && inline !== undefined) {
          throw askedWrongly('run.flag', `--${name} takes no value`);
        }
        const given = ownFlags[name] ? (inline ?? value(word)) : 'true';
        own[name] = [...(own[name] ?? []), given];
        continue;
      }
      const flag = knownFlag(name, only);
      judged.push(judge(flag, flag.takesValue ? (inline ?? value(word)) : inline));
    }
    engineFlags.push(...argv.slice(start, at + 1));
  }

  const [image, ...command] = argv.slice(at);
  if (image === undefined && own['help'] === undefined) {
    throw askedWrongly('run.no-image', 'tcf run needs an image', {
      hint: 'tcf run [flags] IMAGE [COMMAND...]',
    });
  }
  return compact({ own, engineFlags, judged, image, command });
}

function splitLong(word: string): { readonly name: string; readonly inline?: string } {
  const equals = word.indexOf('=');
  if (equals < 0) {
    return { name: word.slice(2) };
  }
  return { name: word.slice(2, equals), inline: word.slice(equals + 1) };
}

function knownFlag(name: string, only: ReadonlySet<string> | undefined): RunFlag {
  if (only !== undefined && !only.has(name)) {
    throw askedWrongly('run.flag', `${quoted(`--${name}`)} has no place here`);
  }
  const flag = findRunFlag(name);
  if (flag !== undefined) {
    return flag;
  }
  throw askedWrongly('run.flag', `tcf run does not know the flag ${quoted(`--${name}`)}`, {
    hint: 'flags that tcf does not know could hide the image; docs/runtime-flags.md lists those of podman run and docker run',
  });
}

/**
 * `-it` has no value, `-v a:b` has one in the next word, `-va:b` and `-eNAME` carry it with them, `-v=a:b`
 * too.
 */
function readLetters(
  word: string,
  only: ReadonlySet<string> | undefined,
  next: (flag: string) => string,
): readonly JudgedFlag[] {
  const found: JudgedFlag[] = [];
  for (let index = 1; index < word.length; index += 1) {
    const letter = word[index] ?? '';
    if (only !== undefined && !only.has(letter)) {
      throw askedWrongly('run.flag', `${quoted(`-${letter}`)} has no place here`);
    }
    const flag = findRunLetter(letter);
    if (flag === undefined) {
      throw askedWrongly('run.flag', `tcf run does not know the flag ${quoted(`-${letter}`)}`);
    }
    if (!flag.takesValue) {
      found.push(judge(flag, undefined));
      continue;
    }
    const rest = word.slice(index + 1);
    found.push(judge(flag, rest === '' ? next(word) : rest.replace(/^=/, '')));
    break;
  }
  return found;
}

/**
 * @throws TcfError `run.flag` (exit 3) for what nobody may say: another container, content or engine than the
 *   verified one.
 */
function judge(flag: RunFlag, value: string | undefined): JudgedFlag {
  const judgement = judgeFlag(flag, value ?? '');
  const word = value === undefined ? `--${flag.name}` : `--${flag.name}=${value}`;
  if (judgement.class === 'harmless' || judgement.class === 'host') {
    return { ...judgement, word };
  }
  const what = flag.judge === undefined ? '' : ` ${judgement.named ?? value}`;
  throw askedWrongly('run.flag', `tcf run does not take --${flag.name}${printable(what, 200)}`, {
    hint: judgement.why ?? '',
  });
}
