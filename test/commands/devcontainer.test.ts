// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of devcontainer.json
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { keyPolicy, writeKeyPair } from '../support/scene.ts';

let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let digest: string;
let unsigned: string;
let project: string;
const own = () => ['--policy', join(place.path, 'policy.yaml'), '--allow-http'];
const tcf = (...args: readonly string[]): Promise<Called> =>
  type(args, { cwd: project, env: { COSIGN_PASSWORD: 'x' } });
const file = () => join(project, '.devcontainer/devcontainer.json');
const script = () => readFileSync(join(project, '.devcontainer/tcf-check.sh'), 'utf8');
const write = (path: string, value: unknown) => {
  mkdirSync(join(project, path, '..'), { recursive: true });
  writeFileSync(join(project, path), typeof value === 'string' ? value : JSON.stringify(value));
};

beforeAll(async () => {
  place = folder();
  project = place.path;
  registry = await startRegistry();
  digest = await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' });
  unsigned = await pushDemoImage({ host: registry.host, repository: 'dev', tag: '2', deb: 'other' });
  writeKeyPair(place.path, 'team');
  writeFileSync(join(place.path, 'policy.yaml'), keyPolicy(registry.host, 'signed: { by: [team] }'));
  await tcf('sign', `${registry.host}/dev:1`, '--key', 'team.key', '--allow-http', '--no-sbom');
  project = join(place.path, 'project');
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});
beforeEach(() => {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project);
});

test('init writes what check allows, and replaces nothing', async () => {
  const made = await tcf('devcontainer', 'init', `${registry.host}/dev:1`, '--device', 'cuda', ...own());
  expect(made).toMatchObject({ exit: 0, out: `${registry.host}/dev:1@${digest}\n` });
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({
    image: `${registry.host}/dev:1@${digest}`,
    initializeCommand: ['sh', '.devcontainer/tcf-check.sh'],
    runArgs: ['--device=nvidia.com/gpu=all', '--security-opt=label=disable'],
  });
  expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({ exit: 0, out: '', err: '' });
  expect(await tcf('devcontainer', 'init', `${registry.host}/dev:1`, ...own())).toMatchObject({
    exit: 3,
    err: expect.stringMatching(/exists already/),
  });
});

test.for([
  [
    'a file in place of the folder',
    (path: string) => writeFileSync(join(path, '.devcontainer'), ''),
    'ENOTDIR',
  ],
  [
    'a file that is there',
    (path: string) => {
      mkdirSync(join(path, '.devcontainer'));
      writeFileSync(join(path, '.devcontainer/devcontainer.json'), '{}');
    },
    'exists already',
  ],
] as const)('init refuses %s before the image is asked about', async ([, make, told]) => {
  using there = folder();
  make(there.path);
  const asked = registry.requests.length;
  const called = await type(['devcontainer', 'init', `${registry.host}/dev:1`, '--allow-http'], {
    cwd: there.path,
  });
  expect(called).toMatchObject({ exit: 3, out: '', err: expect.stringContaining(told) });
  expect(registry.requests.length).toBe(asked);
});

test("the script says what init was told, and that a policy elsewhere is nobody else's", async () => {
  const made = await tcf('devcontainer', 'init', `${registry.host}/dev:1`, '--user', 'me', ...own());
  expect(made).toMatchObject({ exit: 0, err: expect.stringMatching(/warning: .*is not in the project/) });
  expect(script()).toMatch(/^set -- devcontainer check --allow-http$/m);
  expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({
    remoteUser: 'me',
    containerUser: 'me',
    runArgs: ['--userns=keep-id'],
  });
  copyFileSync(join(place.path, 'policy.yaml'), join(project, 'policy.yaml'));
  copyFileSync(join(place.path, 'team.pub'), join(project, 'team.pub'));
  const inside = ['--policy', 'policy.yaml', '--allow-http'];
  expect(await tcf('devcontainer', 'pin', ...inside)).toMatchObject({ exit: 0, err: '' });
  expect(script()).toMatch(/^set -- devcontainer check --policy policy.yaml --allow-http$/m);
  expect(await tcf('devcontainer', 'check', ...inside)).toMatchObject({ exit: 0 });
  // What the editor starts, where there is no tcf.
  const alone = spawnSync('/bin/sh', ['.devcontainer/tcf-check.sh'], {
    cwd: project,
    env: { HOME: project, PATH: '.' },
  });
  expect(alone.status).toBe(1);
  expect(alone.stderr.toString()).toMatch(/there is no tcf on this machine\n.*releases\/tag\/v\d/);
  // And where there is one.
  mkdirSync(join(project, '.local/bin'), { recursive: true });
  writeFileSync(join(project, '.local/bin/tcf'), '#!/bin/sh\necho "$@"; exit 7\n', { mode: 0o755 });
  const found = spawnSync('/bin/sh', ['.devcontainer/tcf-check.sh'], {
    cwd: project,
    env: { HOME: project, PATH: '' },
  });
  expect(found.status).toBe(7);
  expect(found.stdout.toString()).toBe('devcontainer check --policy policy.yaml --allow-http\n');
});

test.for<readonly [string, (path: string) => void]>([
  ['a script that was changed', (path) => appendFileSync(path, 'exit 0\n')],
  ['a script that is gone', (path) => rmSync(path)],
])('%s is seen', async ([, change]) => {
  await tcf('devcontainer', 'init', `${registry.host}/dev:1`, ...own());
  expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({ exit: 0 });
  change(join(project, '.devcontainer/tcf-check.sh'));
  expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/tcf-check\.sh/),
  });
});

test('a link in the project may not lead out of it', async () => {
  await tcf('devcontainer', 'init', `${registry.host}/dev:1`, ...own());
  const config = JSON.parse(readFileSync(file(), 'utf8'));
  const mounts = ['type=bind,source=${localWorkspaceFolder}/data/sub,target=/data'];
  writeFileSync(file(), JSON.stringify({ ...config, mounts }));
  const check = () => tcf('devcontainer', 'check', ...own());
  expect(await check()).toMatchObject({ exit: 0 });
  for (const target of ['/', '../..', '/nowhere/at/all']) {
    symlinkSync(target, join(project, 'data'));
    expect(await check()).toMatchObject({ exit: 1, err: expect.stringMatching(/leads out of the project/) });
    rmSync(join(project, 'data'));
  }
  mkdirSync(join(project, 'data'));
  symlinkSync('..', join(project, 'data/sub'));
  expect(await check()).toMatchObject({ exit: 0 });
});

test('a file that builds becomes one that starts a verified image', async () => {
  write('.devcontainer/devcontainer.json', { build: { dockerfile: 'Dockerfile' }, remoteUser: 'me' });
  expect(await tcf('devcontainer', 'migrate', `${registry.host}/dev:2`, ...own())).toMatchObject({ exit: 1 });
  expect(await tcf('devcontainer', 'migrate', `${registry.host}/dev:1`, ...own())).toMatchObject({
    exit: 0,
    err: expect.stringMatching(/took build out of/),
  });
  expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({ exit: 0 });
});

test('pin follows the tag, and check the digest', async () => {
  write('.devcontainer.json', `// mine\n{ "image": "${registry.host}/dev:1@sha256:${'0'.repeat(64)}" }\n`);
  expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({ exit: 1 });
  expect(await tcf('devcontainer', 'pin', ...own())).toMatchObject({
    exit: 0,
    out: `${registry.host}/dev:1@${digest}\n`,
  });
  expect(readFileSync(join(project, '.devcontainer.json'), 'utf8')).toMatch(/^\/\/ mine\n/);
  expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({ exit: 0 });
});

test('one of several files is named, and names itself', async () => {
  for (const name of ['a', 'b']) {
    write(`.devcontainer/${name}/devcontainer.json`, { image: `${registry.host}/dev:1` });
  }
  expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({
    exit: 3,
    err: expect.stringMatching(/there are several/),
  });
  const named = ['--file', '.devcontainer/b/devcontainer.json'];
  expect(await tcf('devcontainer', 'pin', ...named, ...own())).toMatchObject({ exit: 0 });
  expect(await tcf('devcontainer', 'check', ...named, ...own())).toMatchObject({ exit: 0 });
});

describe('nothing starts', () => {
  const good = () => ({
    image: `${registry.host}/dev@${digest}`,
    initializeCommand: ['tcf', 'devcontainer', 'check'],
    updateRemoteUserUID: false,
  });
  test.for<readonly [string, () => object, RegExp]>([
    [
      'from an image that nobody signed',
      () => ({ ...good(), image: `${registry.host}/dev@${unsigned}` }),
      /✗ signed/,
    ],
    ['with a Feature', () => ({ ...good(), features: { x: {} } }), /"features"/],
    ['unasked', () => ({ ...good(), initializeCommand: undefined }), /"initializeCommand"/],
    ['by tag', () => ({ ...good(), image: `${registry.host}/dev:1` }), /not named by its digest/],
  ])('%s', async ([, config, message]) => {
    write('.devcontainer/devcontainer.json', config());
    const ran = await tcf('devcontainer', 'check', ...own());
    expect(ran.exit).toBe(1);
    expect(ran.err).toMatch(message);
    expect(ran.err).toMatch(/nothing was started/);
  });

  test('with powers that only the image asks for', async () => {
    const label = JSON.stringify([{ privileged: true, mounts: ['source=/,target=/host,type=bind'] }]);
    const greedy = await pushDemoImage({
      host: registry.host,
      repository: 'greedy',
      tag: '1',
      labels: { 'devcontainer.metadata': label },
    });
    await type(['sign', `${registry.host}/greedy:1`, '--key', 'team.key', '--allow-http', '--no-sbom'], {
      cwd: place.path,
      env: { COSIGN_PASSWORD: 'x' },
    });
    const config = { ...good(), image: `${registry.host}/greedy@${greedy}` };
    write('.devcontainer/devcontainer.json', config);
    expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/asks for mounts, privileged/),
    });
    write('.devcontainer/devcontainer.json', {
      ...config,
      privileged: true,
      mounts: ['source=/,target=/host,type=bind'],
    });
    const asked = await tcf('devcontainer', 'check', ...own());
    expect(asked.exit).toBe(1);
    expect(asked.err).toMatch(/hint: .*tcf devcontainer allow -- --privileged/);
    // The word of the user, for this folder and no other.
    expect(await tcf('devcontainer', 'allow', '--', '--privileged')).toMatchObject({ exit: 0 });
    expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({ exit: 1 });
    expect(await tcf('devcontainer', 'allow', '--', '--mount=source=/,target=/host,type=bind')).toMatchObject(
      { exit: 0 },
    );
    expect(await tcf('devcontainer', 'check', ...own())).toMatchObject({ exit: 0 });
    cpSync(project, join(place.path, 'copy'), { recursive: true });
    const elsewhere = await type(['devcontainer', 'check', ...own()], { cwd: join(place.path, 'copy') });
    expect(elsewhere.exit).toBe(1);
  });
});

test.for<readonly [string, readonly string[], number, RegExp]>([
  ['no file', ['check'], 3, /there is no devcontainer\.json/],
  ['an unknown action', ['open'], 3, /has no action "open"/],
  ['init without an image', ['init'], 3, /missing required argument 'image'/],
  ['an option of another action', ['check', '--device', 'cuda'], 3, /unknown option '--device'/],
  ['a word that nobody may say', ['allow', '--', '--requires=x'], 3, /does not take --requires/],
  ['a word that is not a flag', ['allow', '--', 'evil'], 3, /as flags/],
  ['no action', [], 3, /needs an action/],
  ['an unknown device', ['init', 'IMAGE', '--device', 'tpu'], 3, /does not know the device/],
])('%s is asked wrongly', async ([, args, exit, message]) => {
  const words = args.map((word) => (word === 'IMAGE' ? `${registry.host}/dev:1` : word));
  const options = ['check', 'init', 'open'].includes(args[0] ?? '') ? own() : [];
  expect(await tcf('devcontainer', ...words, ...options)).toMatchObject({
    exit,
    err: expect.stringMatching(message),
  });
});

test('what cannot be pinned is left as it was', async () => {
  const text = '{ "build": { "dockerfile": "Dockerfile" } }';
  write('.devcontainer/devcontainer.json', text);
  expect(await tcf('devcontainer', 'pin', ...own())).toMatchObject({
    exit: 3,
    err: expect.stringMatching(/names no image/),
  });
  expect(await tcf('devcontainer', 'pin', `${registry.host}/dev:1`, ...own())).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/nothing was changed/),
  });
  expect(await tcf('devcontainer', 'pin', `${registry.host}/dev:2`, ...own())).toMatchObject({
    exit: 1,
    err: expect.stringMatching(/✗ signed/),
  });
  expect(readFileSync(file(), 'utf8')).toBe(text);
  expect(existsSync(join(project, '.devcontainer.json'))).toBe(false);
});
