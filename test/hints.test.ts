import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { verbs } from '../src/commands/index.ts';
import type { Verb, VerbEntry } from '../src/commands/verb.ts';

/* Whatever tells the user to type `tcf ...` names a verb, an action and options that are there. */

const root = join(import.meta.dirname, '../src');

interface Named {
  readonly where: string;
  /** `tcf trust import FILE --machine`, as far as it is a command. */
  readonly text: string;
}

/** Texts in quotes of all messages, hints and reports; comments are for us. */
function commandsIn(file: string): readonly Named[] {
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  return lines.flatMap((line, at) => {
    const isComment = /^\s*(?:\*|\/\/|\/\*)/.test(line);
    const texts = isComment
      ? []
      : [...line.matchAll(/'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\]|\\.)*)"/g)];
    return texts.flatMap(([, single, template, double]) =>
      [
        ...(single ?? template ?? double ?? '').matchAll(
          /(?<![\w/.-])tcf ([a-z][a-z-]*(?: [^;,:(){}"'`\\]*)?)/g,
        ),
      ].map(([, text = '']) => ({ where: `${file}:${at + 1}`, text })),
    );
  });
}

const named = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('page/script.ts'))
  .flatMap(commandsIn);

/** Words after `tcf` in a sentence that is about tcf and names no command. */
const prose =
  /^(?:does|did|has|have|is|was|will|writes?|reads?|asks?|knows?|cannot|can|itself|and|or|that|the|in|on|of|to|from|with|for|as|before|report|makes?|takes?|gives?|needs?|keeps?|looks?|must|may|runs?|verif\w+|without|a|by|at|only|prints?|decides?|uses?|serves?|speaks?|kept|lays?|version|help|carries|layer|waits|when|out|asked|chose|could|pulls|finds?|says?|starts?)\b/;

const isVerb = (word: string) => verbs.some(({ name }) => name === word);

test('there are commands to look at', () => {
  expect(named.filter(({ text }) => isVerb(text.split(' ')[0] ?? '')).length).toBeGreaterThan(60);
});

test('each names a verb', () => {
  const wrong = named.filter(({ text }) => !isVerb(text.split(' ')[0] ?? '') && !prose.test(text));
  expect(wrong).toEqual([]);
});

async function load(entry: VerbEntry, words: readonly string[]): Promise<Verb | string> {
  const loaded = await entry.load();
  if ('verb' in loaded) {
    return loaded.verb;
  }
  const [word = ''] = words;
  // `tcf policy: ...`, or a list of all of them.
  if (word === '' || /^[A-Z-]|\||^\$/.test(word)) {
    return '';
  }
  const action = loaded.actions.find(({ name }) => name === word);
  return action === undefined
    ? `tcf ${entry.name} has no action ${word}`
    : await load(action, words.slice(1));
}

test('each names an action and options that are there', async () => {
  const wrong: string[] = [];
  for (const { text, where } of named) {
    const [name = '', ...words] = text.trim().split(/\s+/);
    const entry = verbs.find((verb) => verb.name === name);
    if (entry === undefined) {
      continue;
    }
    const verb = await load(entry, words);
    if (typeof verb === 'string') {
      // In a sentence a verb is followed by other words: "tcf log writes", "tcf trust knows".
      wrong.push(...(verb === '' || prose.test(words.join(' ')) ? [] : [`${where}: ${verb}`]));
      continue;
    }
    if (verb.flags !== undefined) {
      // What `tcf run`, `up` and `exec` do not know is the engine's, or the profile's.
      continue;
    }
    const command = new Command();
    verb.declare(command);
    const own = command.options.flatMap(({ long }) => long ?? []);
    const flags = [...text.matchAll(/(?<=\s)(--[a-z][a-z-]*)/g)].map(([, flag = '']) => flag);
    wrong.push(
      ...flags
        .filter((flag) => !['--help', '--quiet', ...own].includes(flag))
        .map((flag) => `${where}: tcf ${name} has no ${flag} (${text})`),
    );
  }
  expect(wrong).toEqual([]);
});
