import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verbs } from '../../src/commands/index.ts';
import type { VerbEntry } from '../../src/commands/verb.ts';
import { toCompletedValue } from '../../src/report/completion/call.ts';
import { completionFiles, type Shell, shells } from '../../src/report/completion/index.ts';
import { folder, type } from '../support/host.ts';
import { completeIn, files, installedShells, shellDrivers, someFile } from '../support/shells.ts';

const place = folder();
const tcf = (...args: readonly string[]) => type(args, { cwd: place.path });

const complete = (shell: Shell, words: readonly string[]) => completeIn(place.path, shell, words);

beforeAll(async () => {
  writeFileSync(join(place.path, someFile), '');
  for (const shell of shells) {
    const script = await tcf('completion', shell);
    expect(script).toMatchObject({ exit: 0, err: '' });
    writeFileSync(join(place.path, completionFiles[shell]), script.out);
  }
});

afterAll(() => place[Symbol.dispose]());

const actionsOf = async (name: string): Promise<readonly VerbEntry[]> => {
  const loaded = await verbs.find((verb) => verb.name === name)?.load();
  return loaded !== undefined && 'actions' in loaded ? loaded.actions : [];
};
const shownNames = (entries: readonly VerbEntry[]) =>
  entries.flatMap(({ hidden, name }) => (hidden ? [] : [name])).sort();

describe.for(installedShells)('%s', (shell) => {
  test.for([
    [['sb'], ['sbom']],
    [['ver'], ['verify', 'verify-bundle']],
    [['--v'], ['--version']],
    [['hel'], ['help']],
    [['frobnicate'], []],
    [['log', 'p'], ['prune']],
    [['help', 'log', 'p'], ['prune']],
    [['help', 'sb'], ['sbom']],
    [
      ['completion', ''],
      ['bash', 'fish', 'zsh'],
    ],
    [['completion', 'z'], ['zsh']],
    [['sbom', '--spe'], ['--spec-version']],
    [['sbom', 'oci:x', '--spe'], ['--spec-version']],
    [['log', 'show', '--la'], ['--last']],
    [['log', '--la'], []],
    [['run', '--pol'], ['--policy']],
    [['up', '--rec'], ['--recreate']],
    [['run', '--rec'], []],
    [['exec', '--dry'], []],
    [['exec', '--conn'], ['--connection']],
    [
      ['sbom', '--referrers', ''],
      ['api', 'auto', 'tag'],
    ],
    [['sbom', '--referrers', 't'], ['tag']],
    [['sign', '--oidc-flow', 'br'], ['browser']],
    [['sbom', '--output', ''], [files]],
    [['sbom', '-o', ''], [files]],
    [['verify', 'x', '--policy', ''], [files]],
    [['run', '--policy', ''], [files]],
    [['sbom', ''], [files]],
    [['policy', 'check', ''], [files]],
    [['completion', 'bash', ''], [files]],
    [['sbom', '--timeout', ''], []],
    [['sbom', '--timeout', 'lo'], []],
    [
      ['run', '--engine', ''],
      ['docker', 'podman'],
    ],
    [['down', '--engine', 'd'], ['docker']],
    [
      ['sbom', '--format', 'cyc'],
      ['cyclonedx-json', 'cyclonedx-xml'],
    ],
    [['sbom', '--spec-version', '1.7'], ['1.7']],
    [
      ['sbom', '--profile', ''],
      ['bsi', 'cisa', 'ntia'],
    ],
  ] as const)('tcf %j offers %j', async ([words, offered]) => {
    const { errors, offered: real } = await complete(shell, words);
    expect(errors).toBe('');
    // Where nothing of tcf fits, bash and zsh may still find a file of that name.
    expect(
      offered.length === 0 && words.at(-1) !== '' ? real.filter((word) => word !== files) : real,
    ).toEqual(offered);
  });

  test('every verb and action that is listed, and no hidden one', async () => {
    expect((await complete(shell, [''])).offered).toEqual([...shownNames(verbs), 'help'].sort());
    for (const name of ['hook', 'log', 'pins', 'policy', 'trust', 'devcontainer']) {
      const actions = await actionsOf(name);
      expect((await complete(shell, [name, ''])).offered).toEqual(shownNames(actions));
      for (const { hidden, name: action } of actions) {
        if (hidden) {
          expect((await complete(shell, [name, action])).offered).not.toContain(action);
        }
      }
    }
  });

  test('no word of the line is run', async () => {
    for (const hurt of ['$(touch hurt)', '`touch hurt`', "'; touch hurt; '", '* )touch hurt;;']) {
      for (const words of [[hurt, ''], ['sbom', hurt, '--o'], ['sbom', '--output', hurt], [hurt]]) {
        await complete(shell, words);
      }
    }
    expect(readdirSync(place.path)).not.toContain('hurt');
  });
});

test('bash offers the same where its user parts words otherwise, and with no unset variables', async () => {
  writeFileSync(join(place.path, 'odd.bash'), `IFS=:; set -u; ${shellDrivers.bash}`);
  const odd = (...words: string[]) =>
    new Promise<string>((resolve) => {
      const args = ['--norc', 'odd.bash', 'tcf', ...words];
      execFile('bash', args, { cwd: place.path }, (_, stdout, stderr) => resolve(stdout + stderr));
    });
  expect(await odd('log', '')).toBe('show\nverify\nprune\narchive\n');
  expect(await odd('sbom', '--timeout', '')).toBe('');
});

test('bash takes --name=value apart, and the value is completed', async () => {
  expect(await complete('bash', ['sbom', '--referrers', '='])).toEqual({
    offered: ['api', 'auto', 'tag'],
    errors: '',
  });
  expect(await complete('bash', ['sbom', '--referrers', '=', 'a'])).toMatchObject({
    offered: ['api', 'auto'],
  });
  expect(await complete('bash', ['sbom', '--output', '=', ''])).toMatchObject({ offered: [files] });
});

test.for(installedShells.filter((shell) => shell !== 'bash'))(
  '%s completes the value of --name=value',
  async (shell) => {
    const { offered } = await complete(shell, ['sbom', '--referrers=t']);
    expect(offered.map((word) => word.replace('--referrers=', ''))).toEqual(['tag']);
  },
);

/** `  -o, --output <file>`, `  --policy FILE  a policy ...` */
const optionsIn = (help: string) =>
  [...help.matchAll(/^ +(?:(-\w), )?(--[a-z][\w-]*)/gm)].flatMap(([, short, long]) =>
    [short, long].filter((name) => name !== undefined),
  );

async function callsOf(entries: readonly VerbEntry[], path: readonly string[] = []): Promise<string[][]> {
  const calls: string[][] = [];
  for (const { hidden, load, name } of entries) {
    if (hidden) {
      continue;
    }
    const loaded = await load();
    calls.push([...path, name]);
    if ('actions' in loaded) {
      calls.push(...(await callsOf(loaded.actions, [...path, name])));
    }
  }
  return calls;
}

test.for((await callsOf(verbs)).map((call) => [call.join(' '), call] as const))(
  'every option that tcf %s --help names is offered',
  async ([, call]) => {
    const { out } = await tcf(...call, '--help');
    const { errors, offered } = await complete('bash', [...call, '-']);
    expect(errors).toBe('');
    expect(offered).toEqual(expect.arrayContaining(optionsIn(out)));
    expect(new Set(offered).size).toBe(offered.length);
  },
);

test.for([
  ['file', 'file'],
  ['folder', 'file'],
  ['token|file', 'file'],
  ['file|env://VAR', 'file'],
  ['file-or-url', 'file'],
  ['auto|api|tag', ['auto', 'api', 'tag']],
  ['1|2', ['1', '2']],
  ['seconds', 'text'],
  ['os/arch', 'text'],
  ['mail address or https://...', 'text'],
  ['a b|$(x)', 'text'],
  ['type=file', 'text'],
] as const)('a value <%s> is completed as %j', ([name, value]) => {
  expect(toCompletedValue(name)).toEqual(value);
});

test.for([['ksh'], [''], ['BASH'], ['bash', 'zsh'], ['__proto__']])(
  'tcf completion %j is refused',
  async (words) => {
    expect(await tcf('completion', ...words)).toMatchObject({ exit: 3, out: '' });
  },
);
