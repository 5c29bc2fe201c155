import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findRunFlag, findRunLetter } from '../../src/launch/flags/table.ts';
import { must, run } from './support.ts';

/*
 * The engines that are installed, asked for their own flags: one without a class in our table fails here, and
 * one that takes a value where we say it takes none.
 */

const engines = ['podman', '/usr/bin/docker', '/usr/local/bin/docker'].filter(
  (path) => path === 'podman' || existsSync(path),
);

/** `-v, --volume list` and `--rm` in the words of `--help`. */
async function flagsOf(
  engine: string,
  ...verb: readonly string[]
): Promise<readonly (readonly [name: string, letter: string | undefined])[]> {
  const help = await must(engine, [...verb, '--help']);
  return [...help.matchAll(/^\s+(?:-(\w), )?--([a-z][a-z0-9-]*)/gm)].map(([, letter, name = '']) => [
    name,
    letter,
  ]);
}

describe.for(engines.flatMap((engine) => [[engine, 'run'] as const, [engine, 'create'] as const]))(
  '%s %s',
  ([engine, verb]) => {
    test('each flag has a class, and each letter is the letter of that flag', async () => {
      const flags = await flagsOf(engine, verb);
      expect(flags.length).toBeGreaterThan(80);
      expect(flags.filter(([name]) => findRunFlag(name) === undefined)).toEqual([]);
      for (const [name, letter] of flags) {
        if (letter !== undefined) {
          expect(findRunLetter(letter)?.name, `-${letter}`).toBe(name);
        }
      }
    });

    test('each flag takes a value where the table says so: the word behind it is never taken for the image', async () => {
      for (const [name] of await flagsOf(engine, verb)) {
        if (name === 'help') {
          continue;
        }
        const { stderr } = await run(engine, [verb, `--${name}`]);
        expect([name, /flag needs an argument/.test(stderr)]).toEqual([name, findRunFlag(name)?.takesValue]);
      }
    });
  },
);

test('global flags of podman, which stand behind the verb as well, have a class too', async () => {
  const flags = await flagsOf('podman');
  expect(flags.length).toBeGreaterThan(20);
  expect(flags.filter(([name]) => findRunFlag(name) === undefined)).toEqual([]);
});
