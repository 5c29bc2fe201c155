import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callWith, everyCall } from '../support/every-verb.ts';
import { folder } from '../support/host.ts';

/*
 * What surrounds a call: variables of the environment that are empty or relative, and a home of somebody
 * else.
 */

const place = folder();
afterAll(() => place[Symbol.dispose]());
const checkout = join(place.path, 'checkout');
const home = join(place.path, 'home');

/**
 * A project that would like to speak as the user: a policy that allows everything, and a profile that starts
 * its own image.
 */
beforeAll(() => {
  mkdirSync(home);
  const policy =
    'version: 1\nsigners: { evil: { keyFile: evil.pub } }\nscopes: [{ match: "*", require: {} }]\n';
  const profiles = 'version: 1\nprofiles: { evil: { image: evil.invalid/image:1 } }\n';
  for (const below of ['tcf', '.config/tcf', '.cache/tcf', '.local/state/tcf']) {
    mkdirSync(join(checkout, below), { recursive: true });
    writeFileSync(join(checkout, below, 'policy.yaml'), policy);
    writeFileSync(join(checkout, below, 'profiles.yaml'), profiles);
  }
});

const calls = await everyCall();

describe.for([
  ['XDG_CONFIG_HOME=', { XDG_CONFIG_HOME: '' }],
  ['XDG_CONFIG_HOME=.', { XDG_CONFIG_HOME: '.' }],
  ['XDG_CONFIG_HOME=.config', { XDG_CONFIG_HOME: '.config' }],
  ['HOME=', { HOME: '' }],
  ['HOME=.', { HOME: '.' }],
  ['all of them empty', { HOME: '', XDG_CACHE_HOME: '', XDG_CONFIG_HOME: '', XDG_STATE_HOME: '' }],
  ['all of them relative', { HOME: '.', XDG_CACHE_HOME: '.', XDG_CONFIG_HOME: '.', XDG_STATE_HOME: '.' }],
] as const)('%s in a hostile checkout', ([, env]) => {
  test.for(calls.map((call) => [call.join(' '), call] as const))(
    'tcf %s: nothing of the project speaks as the user',
    async ([, call]) => {
      const { text } = await callWith(call, {
        cwd: checkout,
        env: { HOME: home, PATH: '/nowhere', ...env },
      });
      expect(text).not.toMatch(
        /evil\.(?:invalid|pub)|(?:^|[^\w/])(?:tcf|\.config\/tcf)\/(?:policy|profiles)/,
      );
    },
  );

  test('there is no policy', async () => {
    const called = await callWith(['verify', '127.0.0.1:1/none:1'], {
      cwd: checkout,
      env: { HOME: home, ...env },
    });
    expect(called).toMatchObject({ exit: 3, text: expect.stringContaining('there is no policy') });
  });
});

const isRoot = process.getuid?.() === 0;

test('a home that may not be read is said, or does not matter, and is never a fault of tcf', () => {
  chmodSync(place.path, 0o755);
  const foreign = join(place.path, 'foreign');
  mkdirSync(join(foreign, '.config/tcf'), { recursive: true });
  chmodSync(foreign, isRoot ? 0o700 : 0);
  const script = join(import.meta.dirname, '../support/every-verb-as.ts');
  const open = join(place.path, 'open');
  mkdirSync(open);
  // Whom the permissions of a folder do not hold back becomes somebody else.
  const who = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  const printed = execFileSync(process.execPath, [script, open, foreign], {
    encoding: 'utf8',
    cwd: open,
    ...who,
  });
  chmodSync(foreign, 0o700);
  const called = printed
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { call: string[]; exit: number; text: string });
  expect(called).toHaveLength(calls.length);
  for (const { call, exit, text } of called) {
    expect(text, call.join(' ')).not.toMatch(/fault in tcf|^ +at /m);
    expect([0, 1, 2, 3, 125], call.join(' ')).toContain(exit);
    if (exit > 1) {
      expect(text, call.join(' ')).toContain('tcf: error:');
    }
  }
});
