import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folder, type } from '../support/host.ts';

/* A name without a registry that is a file here is never asked of one. */

const place = folder();
const cwd = place.path;

beforeAll(() => {
  writeFileSync(join(cwd, 'app.tar'), '');
  symlinkSync('app.tar', join(cwd, 'link'));
  for (const [name, marker] of [
    ['layout', 'oci-layout'],
    ['copied', 'manifest.json'],
    ['triton', 'README.md'],
  ] as const) {
    mkdirSync(join(cwd, name));
    writeFileSync(join(cwd, name, marker), '{}');
  }
});
afterAll(() => place[Symbol.dispose]());

test.for([
  ['app.tar', 'docker-archive:app.tar or oci-archive:app.tar'],
  ['link', 'docker-archive:link'],
  ['./app.tar', 'docker-archive:./app.tar or oci-archive:./app.tar\n'],
  [join(cwd, 'app.tar'), `docker-archive:${join(cwd, 'app.tar')}`],
  ['layout', 'oci:layout'],
  ['copied', 'dir:copied'],
] as const)('tcf sbom %s says how to write it', async ([name, hint]) => {
  const called = await type(['sbom', name], { cwd });
  expect(called).toMatchObject({ exit: 3, out: '', err: expect.stringContaining(hint) });
  expect(called.err).toContain('here, and no name in a registry');
});

test.for([
  ['sign', 'app.tar', '--key', 'none'],
  ['policy', 'explain', 'app.tar'],
  ['copy', 'app.tar', 'oci:out'],
  ['copy', 'oci:layout', 'app.tar'],
  ['devcontainer', 'init', 'app.tar'],
])('tcf %s is refused as well', async (call) => {
  expect(await type(call, { cwd })).toMatchObject({
    exit: 3,
    err: expect.stringContaining('is a file here'),
  });
});

test.for(['triton', 'docker://app.tar', 'app.tar:1', 'quay.invalid/app.tar'])(
  '%s is a name: no file of it is an image',
  async (name) => {
    const { err } = await type(['policy', 'explain', name], { cwd });
    expect(err).not.toContain('here, and no name in a registry');
  },
);
