import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { parseImageRef } from '../../src/oci/reference.ts';
import { helperRunner, type RunHelper } from '../../src/registry/credential-helper.ts';
import { credentialFiles, openCredentials } from '../../src/registry/credentials.ts';
import { programRunner } from '../../src/system/programs.ts';
import { folder } from '../support/host.ts';
import { refusal } from './support.ts';

const auth = (pair: string) => ({ auth: Buffer.from(pair).toString('base64') });
const found = (username: string) => ({ kind: 'password', username, password: 'pw' });
const noHelper: RunHelper = async (file) => {
  throw new Error(`${file} was started`);
};

async function ask(file: unknown, image: string, run: RunHelper = noHelper): Promise<unknown> {
  using home = folder();
  write(join(home.path, '.docker', 'config.json'), typeof file === 'string' ? file : JSON.stringify(file));
  return await openCredentials({ env: {}, home: home.path, run })(parseImageRef(image));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

test.for<readonly [string, Record<string, unknown>, string, unknown]>([
  ['the host', { 'quay.io': auth('ann:pw') }, 'quay.io/a/b', found('ann')],
  ['a port', { 'localhost:5000': auth('ann:pw') }, 'localhost:5000/a', found('ann')],
  ['another port', { 'localhost:5000': auth('ann:pw') }, 'localhost:5001/a', undefined],
  [
    'a password with colons',
    { 'quay.io': auth('ann:p:w') },
    'quay.io/a',
    { ...found('ann'), password: 'p:w' },
  ],
  [
    'the most specific key',
    { 'quay.io': auth('a:pw'), 'quay.io/x': auth('b:pw'), 'quay.io/x/y': auth('c:pw') },
    'quay.io/x/y',
    found('c'),
  ],
  ['the organisation', { 'quay.io': auth('a:pw'), 'quay.io/x': auth('b:pw') }, 'quay.io/x/z', found('b')],
  ['A-99: half a component', { 'quay.io/org': auth('b:pw') }, 'quay.io/organic/z', undefined],
  ['A-99: a prefix of the host', { 'quay.io': auth('a:pw') }, 'quay.io.evil.example/x', undefined],
  ['A-99: a suffix of the host', { 'quay.io': auth('a:pw') }, 'evilquay.io/x', undefined],
  ['A-99: a part of an address', { 'https://quay.io/v1/': auth('a:pw') }, 'uay.io/x', undefined],
  ['an address of old', { 'https://quay.io/v1/': auth('a:pw') }, 'quay.io/x', found('a')],
  ['Docker Hub', { 'https://index.docker.io/v1/': auth('a:pw') }, 'alpine', found('a')],
  ['Docker Hub by an old name', { 'index.docker.io': auth('a:pw') }, 'alpine', found('a')],
  ['Docker Hub by the name of its registry', { 'registry-1.docker.io': auth('a:pw') }, 'alpine', found('a')],
  ['an address behind something', { 'x https://quay.io/v1/': auth('a:pw') }, 'quay.io/x', undefined],
  ['user and password', { 'quay.io': { username: 'ann', password: 'pw' } }, 'quay.io/x', found('ann')],
  [
    'a user without a password',
    { 'quay.io': { username: 'ann', ...auth('bob:pw') } },
    'quay.io/x',
    found('bob'),
  ],
  [
    'a password without a user',
    { 'quay.io': { password: 'x', ...auth('bob:pw') } },
    'quay.io/x',
    found('bob'),
  ],
  [
    'a password that has NUL within it and ends with it',
    { 'quay.io': auth('ann:p\0w\0\0') },
    'quay.io/x',
    { ...found('ann'), password: 'p\0w' },
  ],
  ['an address without a version', { 'http://quay.io/': auth('a:pw') }, 'quay.io/x', found('a')],
  ['an address with a path', { 'https://quay.io/v1/x': auth('a:pw') }, 'quay.io/x', undefined],
  ['a password that NUL ends', { 'quay.io': auth('ann:pw\0\0') }, 'quay.io/x', found('ann')],
  ['Docker Hub by name', { 'docker.io': auth('a:pw') }, 'registry-1.docker.io/library/alpine', found('a')],
  [
    'A-17: xdocker.io',
    { 'https://index.docker.io/v1/': auth('a:pw') },
    'xdocker.io/library/alpine',
    undefined,
  ],
  ['A-17: evil-docker.io', { 'docker.io': auth('a:pw') }, 'evil-docker.io/library/alpine', undefined],
  ['an empty entry', { 'quay.io': {} }, 'quay.io/x', undefined],
  [
    'a refresh token',
    { 'quay.io': { ...auth('a:pw'), identitytoken: 't' } },
    'quay.io/x',
    { kind: 'identity-token', token: 't' },
  ],
])('auths: %s', async ([, auths, image, expected]) => {
  expect(await ask({ auths }, image)).toEqual(expected);
});

test.for([
  ['text', 'x', /^json\.malformed/],
  ['a list', '[]', /^document\.malformed/],
  ['a login that is not base64', '{"auths":{"quay.io":{"auth":"%%"}}}', /^credentials\.file/],
  ['a login without colon', '{"auths":{"quay.io":{"auth":"YW5u"}}}', /^credentials\.file/],
  ['a helper with a path', '{"credsStore":"../../tmp/x"}', /^credentials\.helper/],
  ['a helper with a space', '{"credHelpers":{"quay.io":"x y"}}', /^credentials\.helper/],
] as const)('a credentials file that holds %s is an error', async ([, file, expected]) => {
  expect(await refusal(ask(file, 'quay.io/x'))).toMatch(expected);
});

test('an empty file is not a file', async () => {
  expect(await ask('', 'quay.io/x')).toBeUndefined();
});

test('a helper is asked for its host only, and for Docker Hub by its old name', async () => {
  const calls: unknown[] = [];
  const run: RunHelper = async (...call) => {
    calls.push(call);
    return { code: 0, stdout: '{"ServerURL":"x","Username":"ann","Secret":"pw"}' };
  };
  const file = { credHelpers: { 'quay.io': 'one' }, credsStore: 'two' };
  expect(await ask(file, 'quay.io/x', run)).toEqual(found('ann'));
  expect(await ask(file, 'alpine', run)).toEqual(found('ann'));
  expect(calls).toEqual([
    ['docker-credential-one', ['get'], 'quay.io'],
    ['docker-credential-two', ['get'], 'https://index.docker.io/v1/'],
  ]);
});

test.for<readonly [string, { code: number; stdout: string }, RegExp | undefined | object]>([
  ['knows nobody', { code: 1, stdout: 'credentials not found in native keychain' }, undefined],
  [
    'has a token',
    { code: 0, stdout: '{"Username":"<token>","Secret":"t"}' },
    { kind: 'identity-token', token: 't' },
  ],
  ['has no secret', { code: 0, stdout: '{"Username":"ann","Secret":""}' }, undefined],
  ['fails', { code: 1, stdout: 'locked \u001b[2J' }, /^credentials\.helper: .*locked \\x1b/],
  ['talks', { code: 0, stdout: 'hello' }, /^json\.malformed/],
  ['answers half', { code: 0, stdout: '{"Username":"a"}' }, /^document\.malformed/],
])('a helper that %s', async ([, answer, expected]) => {
  const asked = ask({ credsStore: 'x' }, 'quay.io/x', async () => answer);
  if (expected instanceof RegExp) {
    expect(await refusal(asked)).toMatch(expected);
  } else {
    expect(await asked).toEqual(expected);
  }
});

test('a real helper is started without a shell and reads the server from its input', async () => {
  using home = folder();
  const program = join(home.path, 'docker-credential-echo');
  write(program, '#!/bin/sh\nread -r server\nprintf \'{"Username":"%s","Secret":"%s"}\' "$server" "$1"\n');
  chmodSync(program, 0o755);
  const run = helperRunner(programRunner({ PATH: `${home.path}:/usr/bin:/bin` }));
  expect(await ask({ credsStore: 'echo' }, 'quay.io/x', run)).toEqual({
    ...found('quay.io'),
    password: 'get',
  });
});

test('a helper that is not there is an error with a hint', async () => {
  const asked = ask(
    { credsStore: 'nowhere' },
    'quay.io/x',
    helperRunner(programRunner({ PATH: '/nowhere' })),
  );
  expect(await refusal(asked)).toMatch(/^credentials\.helper: could not start "docker-credential-nowhere"/);
});

test('the files are asked in the order of podman, then docker', async () => {
  using home = folder();
  const env = {
    REGISTRY_AUTH_FILE: join(home.path, 'chosen.json'),
    XDG_RUNTIME_DIR: join(home.path, 'run'),
    XDG_CONFIG_HOME: join(home.path, 'xdg'),
    DOCKER_CONFIG: join(home.path, 'docker'),
  };
  const files = credentialFiles({ env, home: home.path, uid: 7 });
  expect(files.map((file) => file.slice(home.path.length))).toEqual([
    '/chosen.json',
    '/run/containers/auth.json',
    '/xdg/containers/auth.json',
    '/docker/config.json',
  ]);
  const credentials = openCredentials({ env, home: home.path, run: noHelper });
  for (const [index, path] of [...files.entries()].reverse()) {
    write(path, JSON.stringify({ auths: { 'quay.io': auth(`user${index}:pw`) } }));
    expect(await credentials(parseImageRef('quay.io/x'))).toEqual(found(`user${index}`));
  }
});

test('where no session has a folder, podman keeps logins by user id', () => {
  expect(credentialFiles({ env: {}, home: '/h', uid: 7 })).toEqual([
    '/run/containers/7/auth.json',
    '/h/.config/containers/auth.json',
    '/h/.docker/config.json',
  ]);
});

test('a file that is there and cannot be read is an error, not "no login"', async () => {
  using home = folder();
  mkdirSync(join(home.path, '.docker', 'config.json'), { recursive: true });
  const asked = openCredentials({ env: {}, home: home.path, run: noHelper })(parseImageRef('quay.io/x'));
  expect(await refusal(asked)).toMatch(/^credentials\.file: could not read/);
});

test('a credentials file has a limit, wherever it is', async () => {
  using home = folder();
  const huge = JSON.stringify({ auths: { 'quay.io': { auth: 'a'.repeat(1024 * 1024) } } });
  write(join(home.path, '.docker', 'config.json'), huge);
  const look = (env: Record<string, string>) =>
    openCredentials({ env, home: home.path, run: noHelper })(parseImageRef('quay.io/x'));
  expect(await refusal(look({}))).toMatch(/^credentials\.file: .*larger than the limit/);
  expect(await refusal(look({ REGISTRY_AUTH_FILE: '/dev/zero' }))).toMatch(/larger than the limit/);
});

test('a pipe in the place of a credentials file holds nobody up, and /dev/null is nobody', async () => {
  using home = folder();
  mkdirSync(join(home.path, '.docker'));
  execFileSync('mkfifo', [join(home.path, '.docker', 'config.json')]);
  const look = (env: Record<string, string>) =>
    openCredentials({ env, home: home.path, run: noHelper })(parseImageRef('quay.io/x'));
  expect(await refusal(look({}))).toMatch(/^credentials\.file: .*not a regular file/);
  expect(await refusal(look({ REGISTRY_AUTH_FILE: '/dev/null' }))).toMatch(
    /config\.json.*not a regular file/,
  );
  write(join(home.path, 'login.json'), JSON.stringify({ auths: { 'quay.io': auth('ann:pw') } }));
  expect(await look({ REGISTRY_AUTH_FILE: join(home.path, 'login.json') })).toEqual(found('ann'));
});
