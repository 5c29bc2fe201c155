import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { builtProfile, rememberBuilt } from '../../src/app/built-images.ts';
import { folder, testHost } from '../support/host.ts';

/* What `tcf up cpu` starts where nobody wrote a profile: the image that tcf build gave away last. */

const place = folder();
afterAll(() => place[Symbol.dispose]());
const host = testHost({ cwd: place.path });

test('an image that was built here is a profile of its name, with the GPU that it is for', async () => {
  expect(await builtProfile(host, 'cuda')).toBeUndefined();
  await rememberBuilt(host, 'cuda', 'registry.example/you/cuda:1');
  await rememberBuilt(host, 'cpu', 'containers-storage:localhost/tcf/cpu:latest');
  expect(await builtProfile(host, 'cuda')).toEqual({ image: 'registry.example/you/cuda:1', device: 'cuda' });
  expect(await builtProfile(host, 'cpu')).toEqual({ image: 'containers-storage:localhost/tcf/cpu:latest' });
  await rememberBuilt(host, 'cpu', 'registry.example/you/cpu:2');
  expect(await builtProfile(host, 'cpu')).toEqual({ image: 'registry.example/you/cpu:2' });
  // Others can neither see nor change it.
  expect(statSync(join(host.home, '.local/state/tcf/built')).mode & 0o077).toBe(0);
});

test.for(['../cpu', 'a/b', '', 'CPU', '.', 'x'.repeat(64)])('%j leads nowhere', async (name) => {
  await rememberBuilt(host, name, 'registry.example/evil:1');
  expect(await builtProfile(host, name)).toBeUndefined();
});
