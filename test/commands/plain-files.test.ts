import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { folder, testHost } from '../support/host.ts';

const scopes = 'scopes: [{ match: registry.example, require: { signed: { by: [ada] } } }]\n';
const keyless = `version: 1\nsigners: { ada: { issuer: https://x.example, identity: ada@x.example } }\n${scopes}`;
const digest = `sha256:${'a'.repeat(64)}`;
const verify = ['verify', `registry.example/app@${digest}`, '--policy', 'own.yaml'];

/**
 * What comes with a checkout is opened without being asked for: a pipe that nobody writes to must not hold us
 * up for ever.
 */
test.for<readonly [string, Readonly<Record<string, string>>, string, readonly string[]]>([
  ['the policy of a project', {}, '.tcf/policy.yaml', verify],
  [
    'a key that it names',
    { '.tcf/policy.yaml': `version: 1\nsigners: { ada: { keyFile: ada.pub } }\n${scopes}` },
    '.tcf/ada.pub',
    verify,
  ],
  [
    'a trusted root that it names',
    { '.tcf/policy.yaml': `${keyless}trust: { root: root.json }\n` },
    '.tcf/root.json',
    verify,
  ],
  ['a devcontainer.json', {}, '.devcontainer/devcontainer.json', ['devcontainer', 'check']],
  [
    'the pin of a checkout',
    {},
    'triton/cmake/llvm-hash.txt',
    ['run', '--policy', 'own.yaml', 'triton', '-s', 'TRITON=triton'],
  ],
])('%s is a regular file or none', async ([, files, pipe, args]) => {
  using place = folder();
  const make = (path: string) => mkdirSync(dirname(join(place.path, path)), { recursive: true });
  for (const [path, text] of Object.entries({ 'own.yaml': keyless, ...files })) {
    make(path);
    writeFileSync(join(place.path, path), text);
  }
  make(pipe);
  // Git keeps no pipes, but links to those of the machine.
  execFileSync('mkfifo', [join(place.path, 'pipe')]);
  symlinkSync(join(place.path, 'pipe'), join(place.path, pipe));
  const host = testHost({ cwd: place.path, env: {}, answer: () => ({ stdout: '1000' }) });
  expect(await main(args, host)).not.toBe(0);
  expect(host.err()).toContain('is not a regular file');
  expect(host.out()).toBe('');
});

test('a fault is told without what a name of a file would do to a terminal', async () => {
  const host = testHost({ cwd: '/', env: {} });
  const write = async () => {
    throw new Error("EACCES: permission denied, lstat 'a\u001b[2J\u009b2J'");
  };
  expect(await main(['--version'], { ...host, stdout: { isTerminal: false, hasColor: false, write } })).toBe(
    2,
  );
  expect(host.err()).toContain("'a\\x1b[2J\\x9b2J'");
});
