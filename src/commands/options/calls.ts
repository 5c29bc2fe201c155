import { Command } from 'commander';
import { compact } from '../../base/compact.ts';
import type { OwnFlags } from '../../launch/arguments.ts';
import {
  type CompletedCall,
  type CompletedOption,
  type CompletedValue,
  type CompletedWord,
  toCompletedValue,
} from '../../report/completion/call.ts';
import { declareVerb } from '../declare.ts';
import type { Verb, VerbEntry } from '../verb.ts';

/** `tcf` and everything that may follow it, from the list of verbs and what each of them declares. */
export async function readCalls(verbs: readonly VerbEntry[]): Promise<readonly CompletedCall[]> {
  const top = [
    { names: ['-h', '--help'], summary: 'list the verbs' },
    { names: ['-V', '--version'], summary: 'print the version' },
  ];
  const help = { name: 'help', summary: 'say more about a verb' };
  const own = { path: 'tcf', options: top, words: [...wordsOf(verbs), help] };
  return [own, ...(await callsBelow('tcf', verbs))];
}

async function callsBelow(path: string, entries: readonly VerbEntry[]): Promise<readonly CompletedCall[]> {
  const calls = await Promise.all(
    entries
      .filter(({ hidden }) => !hidden)
      .map(async (entry) => await callsOf(`${path} ${entry.name}`, await entry.load())),
  );
  return calls.flat();
}

type Loaded = Awaited<ReturnType<VerbEntry['load']>>;

async function callsOf(path: string, loaded: Loaded): Promise<readonly CompletedCall[]> {
  if ('verb' in loaded) {
    return [callOf(path, loaded.verb)];
  }
  const own = { path, options: [helpOption], words: wordsOf(loaded.actions) };
  return [own, ...(await callsBelow(path, loaded.actions))];
}

const helpOption: CompletedOption = { names: ['-h', '--help'], summary: 'display help for command' };

function callOf(path: string, verb: Verb): CompletedCall {
  const command = new Command();
  declareVerb(command, verb);
  const choices = command.registeredArguments[0]?.argChoices ?? [];
  return compact({
    path,
    names: verb.names,
    options: [
      ...command.options.map(optionOf),
      ...(verb.flags === undefined ? [helpOption] : flagsOf(verb.flags)),
    ],
    words: choices.map((name) => ({ name, summary: '' })),
  });
}

function optionOf({
  argChoices,
  description,
  flags,
  long,
  short,
}: Command['options'][number]): CompletedOption {
  const [, value] = /[<[](.+?)(?:\.\.\.)?[>\]]/.exec(flags) ?? [];
  return compact({
    names: [short, long].filter((name) => name !== undefined),
    summary: description,
    value: value === undefined ? undefined : (argChoices ?? toCompletedValue(value)),
  });
}

/** `-h` of these belongs to the engine. */
function flagsOf(flags: OwnFlags): readonly CompletedOption[] {
  return Object.entries(flags).map(([name, hasValue]) =>
    compact({ names: [`--${name}`], summary: '', value: hasValue ? flagValue(name) : undefined }),
  );
}

function flagValue(flag: string): CompletedValue {
  if (flag === 'engine') {
    return ['podman', 'docker'];
  }
  return ['policy', 'trusted-root'].includes(flag) ? 'file' : 'text';
}

function wordsOf(entries: readonly VerbEntry[]): readonly CompletedWord[] {
  return entries.filter(({ hidden }) => !hidden).map(({ name, summary }) => ({ name, summary }));
}
