import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import {
  cacheFolder,
  configFolder,
  homeFolder,
  runtimeFolder,
  stateFolder,
  userFolder,
} from '../../src/system/folders.ts';

/*
 * XDG Base Directory Specification: "All paths set in these environment variables must be absolute", and an
 * empty one is unset.
 */

const kinds = [
  ['XDG_CONFIG_HOME', '.config'],
  ['XDG_CACHE_HOME', '.cache'],
  ['XDG_DATA_HOME', '.local/share'],
  ['XDG_STATE_HOME', '.local/state'],
] as const;
const ignored = ['', '.', './x', 'x', '..', '~/x', '$HOME/x', ' /x'];

test.for(kinds.flatMap(([kind, below]) => ignored.map((value) => [kind, value, below] as const)))(
  '%s=%j is ignored',
  ([kind, value, below]) => {
    expect(userFolder({ env: { [kind]: value }, home: '/home/ann' }, kind)).toBe(`/home/ann/${below}`);
  },
);

test.for(kinds)('%s chooses the folder where it is absolute', ([kind]) => {
  expect(userFolder({ env: { [kind]: '/x/y' }, home: '/home/ann' }, kind)).toBe('/x/y');
});

test('XDG_RUNTIME_DIR has no other place', () => {
  expect(runtimeFolder({ env: { XDG_RUNTIME_DIR: '/run/user/1' } })).toBe('/run/user/1');
  for (const value of ignored) {
    expect(runtimeFolder({ env: { XDG_RUNTIME_DIR: value } })).toBeUndefined();
  }
  expect(runtimeFolder({ env: {} })).toBeUndefined();
});

test('tcf has one folder of each kind', () => {
  const host = { env: {}, home: '/home/ann' };
  expect([configFolder(host), cacheFolder(host), stateFolder(host)]).toEqual([
    '/home/ann/.config/tcf',
    '/home/ann/.cache/tcf',
    '/home/ann/.local/state/tcf',
  ]);
});

test.for(ignored)('HOME=%j is unset: the password database answers', (value) => {
  expect(homeFolder({ HOME: value })).toBe(userInfo().homedir);
  expect(homeFolder({})).toBe(userInfo().homedir);
  expect(homeFolder({ HOME: '/home/ann' })).toBe('/home/ann');
});
