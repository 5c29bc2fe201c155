import { expect, test } from 'vitest';
import { verbs } from '../../src/commands/index.ts';
import type { VerbEntry } from '../../src/commands/verb.ts';
import { folder, type } from '../support/host.ts';

/* Options belong to the action that has them; every verb and action has its own help. */

const tcf = async (...args: string[]) => {
  using place = folder();
  return await type(args, { cwd: place.path });
};

async function callsOf(entries: readonly VerbEntry[], path: readonly string[]): Promise<string[][]> {
  const calls: string[][] = [];
  for (const entry of entries) {
    const loaded = await entry.load();
    const own = [...path, entry.name];
    calls.push(own, ...('actions' in loaded ? await callsOf(loaded.actions, own) : []));
  }
  return calls;
}

const calls = await callsOf(verbs, []);

test.for(calls.map((call) => [call.join(' '), call] as const))('tcf help %s', async ([name, call]) => {
  const help = await tcf('help', ...call);
  expect(help).toMatchObject({ exit: 0, err: '' });
  expect(help.out).toMatch(new RegExp(`^Usage: tcf ${name}\\b`));
  expect(await tcf(...call, '--help')).toEqual(help);
});

test.for([
  ['log verify', '--keep', '5'],
  ['log verify', '--last', '5'],
  ['log show', '--head', `sha256:${'0'.repeat(64)}`],
  ['log prune', '--json', ''],
  ['policy check p.yaml', '--to', 'kyverno'],
  ['policy schema', '--policy', 'p.yaml'],
  ['policy explain x', '--output', 'x'],
  ['trust show', '--mirror', 'https://x'],
  ['trust import x', '--root', 'x'],
  ['trust update', '--json', ''],
])('tcf %s %s: the option belongs to another action', async ([call = '', option = '', value]) => {
  const words = [...call.split(' '), option, ...(value ? [value] : [])];
  expect(await tcf(...words)).toMatchObject({ exit: 3, out: '', err: expect.stringContaining(option) });
});

test.for([
  [['vreify', 'x'], 'tcf verify'],
  [['sboom', 'x'], 'tcf sbom'],
  [['sing', 'x'], 'tcf sign'],
  [['log', 'shwo'], 'tcf log show'],
  [['trust', 'updte'], 'tcf trust update'],
  [['help', 'verfy'], 'tcf verify'],
] as const)('%j: did you mean %s?', async ([words, meant]) => {
  expect(await tcf(...words)).toMatchObject({
    exit: 3,
    out: '',
    err: expect.stringContaining(`did you mean ${meant}?`),
  });
});

test.for([[['x']], [['frobnicate']], [['log', 'list-everything']], [['help', 'nothing-like-it']]] as const)(
  '%j is like nothing',
  async ([words]) => {
    const called = await tcf(...words);
    expect(called).toMatchObject({ exit: 3, out: '' });
    expect(called.err).not.toContain('did you mean');
  },
);

test('an option that does not exist is answered with the nearest one, in one line', async () => {
  expect(await tcf('verify', 'x', '--polcy', 'p.yaml')).toMatchObject({
    exit: 3,
    err: "tcf: error: unknown option '--polcy'\ntcf: hint: did you mean --policy? tcf verify --help lists the options\n",
  });
});
