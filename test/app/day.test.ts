import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { declareVerb } from '../../src/commands/declare.ts';
import { verbs } from '../../src/commands/index.ts';
import type { Verb, VerbEntry } from '../../src/commands/verb.ts';
import { builtIn, parseProfiles } from '../../src/launch/dev/profiles.ts';
import { draftPolicy } from '../../src/policy/document.ts';

/*
 * docs/day.md as far as it can be replayed without an engine: its profiles are read, its calls are calls that
 * tcf takes.
 */

const page = readFileSync(join(import.meta.dirname, '../../docs/day.md'), 'utf8');

async function verbOf(
  words: readonly string[],
  entries: readonly VerbEntry[] = verbs,
): Promise<{ readonly verb: Verb; readonly rest: readonly string[] }> {
  const [name, ...rest] = words;
  const loaded = await entries.find((entry) => entry.name === name)?.load();
  if (loaded === undefined) {
    throw new Error(`no verb ${name}`);
  }
  return 'actions' in loaded ? await verbOf(rest, loaded.actions) : { verb: loaded.verb, rest };
}

function blockWith(key: string): string {
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);
  return blocks.find((yaml) => yaml.includes(`\n${key}`)) ?? '';
}

describe('docs/day.md', () => {
  test('its profiles are profiles, and the one for the GPU has the image of the other', () => {
    const profiles = parseProfiles(blockWith('profiles:'), 'profiles.yaml', builtIn);
    expect(profiles.get('cpu')).toMatchObject({ image: 'registry.example/you/cpu:1', stack: 'triton' });
    expect(profiles.get('gpu')).toMatchObject({ image: 'registry.example/you/cpu:1', device: 'cuda' });
  });

  test('its policy is one, and asks for what tcf build attests', () => {
    const text = blockWith('trust:');
    expect(draftPolicy(text, 'policy.yaml')).toMatchObject({ keyFiles: ['you.pub'] });
    expect(text).toContain('match: localhost/tcf');
  });

  const calls = [...page.matchAll(/^ {4}tcf ([^#\n]+)/gm)].map(([, call = '']) => call.trim());

  test('it has calls', () => {
    expect(calls.length).toBeGreaterThan(10);
  });

  test.for(calls)('tcf %s is a call that tcf takes', async (call) => {
    const { rest, verb } = await verbOf(call.split(/\s+/));
    // run, up and exec leave their words to an engine.
    if (verb.flags === undefined) {
      const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
      declareVerb(command, verb);
      expect(() => command.parse([...rest], { from: 'user' })).not.toThrow();
    }
  });
});
