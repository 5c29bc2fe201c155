import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { processHost } from '../../src/system/process-host.ts';
import { folder } from '../support/host.ts';

/* The real runner of programs, with programs that misbehave. */

const place = folder();
afterAll(() => place[Symbol.dispose]());

const host = processHost(process);
const limits = { timeout: 20_000, output: 100 };

function script(name: string, text: string): string {
  const path = join(place.path, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('arguments go as they are, input is read, and all of the answer comes back', async () => {
  const path = script('good', 'printf "%s|" "$@"; cat; echo said >&2; exit 3');
  const ran = await host.program(path, ['a b', '$HOME', ';'], Buffer.from('input'), limits);
  expect({ ...ran, stdout: Buffer.from(ran.stdout).toString() }).toEqual({
    code: 3,
    stdout: 'a b|$HOME|;|input',
    stderr: 'said\n',
  });
});

test('a name without a slash is looked for on PATH', async () => {
  expect(await host.program('true', [], new Uint8Array(), limits)).toMatchObject({ code: 0 });
});

test('a program that does not read its input may end well', async () => {
  const path = script('deaf', 'echo done');
  expect(await host.program(path, [], Buffer.alloc(10_000_000), limits)).toMatchObject({ code: 0 });
});

test.for<readonly [string, () => string, string]>([
  ['one that is not there', () => join(place.path, 'none'), 'process.start'],
  ['a name that is not on PATH', () => 'tcf-there-is-no-such-program', 'process.start'],
  ['one that may not be run', () => join(place.path, 'data'), 'process.start'],
  ['one that never ends its answer', () => script('endless', 'exec cat /dev/zero'), 'process.limit'],
  ['one that hangs', () => script('hangs', 'exec sleep 60'), 'process.limit'],
  ['one whose child hangs', () => script('child', 'sleep 60 & wait'), 'process.limit'],
])('%s is stopped and reported', async ([, path, code]) => {
  writeFileSync(join(place.path, 'data'), 'data', { mode: 0o644 });
  const ran = host.program(path(), [], new Uint8Array(), { timeout: 300, output: 100 });
  await expect(ran).rejects.toMatchObject({ code, exit: 2 });
});

test.for([
  [0, undefined],
  [120, 120],
] as const)('a terminal that says it has %s columns has %s', ([columns, expected]) => {
  const stdout = Object.assign(Object.create(process.stdout), { columns });
  const one = Object.create(process, { stdout: { value: stdout } });
  expect(processHost(one).stdout.columns).toBe(expected);
});
