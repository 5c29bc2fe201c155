import { closeSync, openSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { verbs } from '../../src/commands/index.ts';
import { callWith, everyCall } from '../support/every-verb.ts';
import { folder } from '../support/host.ts';

/*
 * A full disk and a folder that is gone, for every verb; test/program/outputs.test.ts has what a shell gives
 * tcf.
 */

const place = folder();
afterAll(() => place[Symbol.dispose]());

const calls = (await everyCall()).map((call) => [call.join(' '), call] as const);

test.for(calls)('tcf %s --help > /dev/full', async ([, call]) => {
  const file = openSync('/dev/full', 'w');
  try {
    // The words before the first that names something.
    const verb = call.slice(0, call.findIndex((word) => !/^[a-z-]+$/.test(word)) >>> 0).slice(0, 2);
    const isGroup = !('verb' in ((await verbs.find(({ name }) => name === verb[0])?.load()) ?? {}));
    const help = ['help', ...verb.slice(0, isGroup ? 2 : 1)];
    const { exit, text } = await callWith(help, { cwd: place.path, env: {}, file });
    expect({ exit, text }).toEqual({
      exit: 2,
      text: expect.stringContaining('could not write the output: no space left on device (ENOSPC)'),
    });
  } finally {
    closeSync(file);
  }
});

test.for(calls)('tcf %s in a current folder that was removed', async ([, call]) => {
  const cwd = () => {
    throw Object.assign(new Error('ENOENT: process.cwd failed, uv_cwd'), {
      code: 'ENOENT',
      syscall: 'uv_cwd',
    });
  };
  const { exit, text } = await callWith(call, { cwd, env: { HOME: place.path, PATH: '/nowhere' } });
  expect(text).not.toMatch(/fault in tcf|^ +at |uv_cwd/m);
  if (text.includes('the current folder')) {
    expect({ exit, text }).toEqual({
      exit: ['run', 'up', 'exec'].includes(call[0] ?? '') ? 125 : 2,
      text: expect.stringMatching(
        /(?:^|\n)tcf: error: the current folder was removed\ntcf: hint: change to a folder that is there\n$/,
      ),
    });
  }
});
