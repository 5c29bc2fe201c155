import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Finished } from '../../src/system/program.ts';
import { imageIdsOn, pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

/* The launcher of profiles, and dev containers that stay, with an engine that remembers. */

let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let pinned: string;
let configDigest: string;

interface Kept {
  image: string;
  id: string;
  running: boolean;
}
const containers = new Map<string, Kept>();

function engine(args: readonly string[]): Partial<Finished> {
  if (args[0] === '-u' || args[0] === '-g')
    return args.at(-1) === 'nobody-here' ? { code: 1 } : { stdout: '1234\n' };
  if (args[0] === '-un') return { stdout: 'ann\n' };
  const [verb = '', noun = ''] = args;
  if (verb === 'image') return { stdout: `${configDigest.slice(7)}\n` };
  const name = args.find((word) => word.startsWith('--name='))?.slice('--name='.length);
  if (verb === 'run' && name !== undefined)
    containers.set(name, {
      image: args.find((word) => word.includes('@sha256:')) ?? '',
      id: configDigest,
      running: true,
    });
  if (verb === 'container' && noun === 'ls')
    return { stdout: containers.has(args.at(-1)?.replace(/^name=\^|\$$/g, '') ?? '') ? 'abc\n' : '' };
  const kept = containers.get(args.at(-1) ?? '');
  if (verb === 'container' && kept)
    return {
      stdout: JSON.stringify([
        {
          Image: kept.id,
          Config: { Image: kept.image, Env: ['USERNAME=ann'] },
          Id: containerId,
          State: { Running: kept.running },
        },
      ]),
    };
  if (verb === 'start' && kept) kept.running = true;
  if (verb === 'rm') containers.delete(args.at(-1) ?? '');
  return {};
}

const tcf = (...args: readonly string[]): Promise<Called> =>
  type(args, { cwd: place.path, env: { COSIGN_PASSWORD: 'x', MAX_JOBS: '2' }, answer: engine });
const own = ['--policy', 'policy.yaml', '--allow-http'];

const containerId = 'c0'.repeat(32);

beforeAll(async () => {
  place = folder();
  registry = await startRegistry();
  pinned = `${registry.host}/dev@${await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' })}`;
  configDigest = imageIdsOn(registry)[0] ?? '';
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'unsigned', deb: 'other' });
  await tcf('keygen', '--output-key-prefix', 'team');
  const policy = (by: string) =>
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: ${by}.pub } }\nscopes: [{ match: "${registry.host}", require: { signed: { by: [team] } } }]\n`;
  writeFileSync(join(place.path, 'policy.yaml'), policy('team'));
  await tcf('keygen', '--output-key-prefix', 'other');
  writeFileSync(join(place.path, 'stricter.yaml'), policy('other'));
  const signed = await tcf(
    'sign',
    `${registry.host}/dev:1`,
    '--key',
    'team.key',
    '--allow-http',
    '--no-sbom',
  );
  expect(signed.exit, signed.err).toBe(0);
  mkdirSync(join(place.path, 'home/.config/tcf'), { recursive: true });
  writeFileSync(
    join(place.path, 'home/.config/tcf/profiles.yaml'),
    `version: 1\nprofiles:\n  mine: { extends: triton, image: "${registry.host}/dev:1" }\n  bad: { image: "${registry.host}/dev:unsigned" }\n`,
  );
  mkdirSync(join(place.path, 'my triton/cmake'), { recursive: true });
  writeFileSync(join(place.path, 'my triton/cmake/llvm-hash.txt'), `${'a'.repeat(40)}\n`);
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});
beforeEach(() => containers.clear());

test('a profile becomes one verified digest with everything that a developer needs', async () => {
  const ran = await tcf(
    'run',
    '--shm-size=1g',
    ...own,
    'mine',
    '-s',
    'TRITON=my triton',
    '-j',
    '4',
    '--',
    'make',
    'dev',
  );
  expect(ran.exit, ran.err).toBe(0);
  const words = ran.started.at(-1) ?? [];
  expect(words.slice(0, 3)).toEqual(['/usr/bin/podman', 'run', '--pull=never']);
  expect(words).toEqual(
    expect.arrayContaining([
      '--env=INSTALL_TRITON=source',
      '--env=MAX_JOBS=4',
      '--shm-size=1g',
      `--volume=${join(place.path, 'my triton')}:/workspace/triton`,
    ]),
  );
  expect(words.slice(-3)).toEqual([pinned, 'make', 'dev']);
  const cache =
    words.find((word) => word.endsWith(':/workspace/.triton'))?.replace(/^--volume=|:\/workspace.*$/g, '') ??
    '';
  expect(existsSync(cache)).toBe(true);
});

test('a cache that others may write is mounted nowhere: a build would run what lies there', async () => {
  const cache = join(place.path, 'home/.cache/tcf/dev');
  mkdirSync(cache, { recursive: true });
  chmodSync(cache, 0o777);
  const ran = await tcf('run', ...own, 'mine', '-s', 'TRITON=my triton');
  chmodSync(cache, 0o700);
  expect(ran).toMatchObject({ exit: 125, err: expect.stringMatching(/can be written by others/) });
  expect(ran.started.some(([, verb]) => verb === 'run')).toBe(false);
});

test('flags of tcf may stand on either side of the profile, and once', async () => {
  expect((await tcf('run', 'mine', ...own)).exit).toBe(0);
  expect(await tcf('run', ...own, 'mine', '--policy', 'policy.yaml')).toMatchObject({
    exit: 125,
    err: expect.stringMatching(/--policy stands twice/),
  });
});

test('help of a profile, of up and of exec', async () => {
  expect(await tcf('run', 'triton', '-h')).toMatchObject({
    exit: 0,
    out: expect.stringMatching(/triton-dev-containers\.sh/),
    started: [],
  });
  expect(await tcf('up', '--help')).toMatchObject({ exit: 0, started: [] });
  expect(await tcf('exec', '--help')).toMatchObject({ exit: 0, started: [] });
});

test.for<readonly [string, readonly string[], RegExp]>([
  ['an unsigned image', ['run', ...own, 'bad'], /nothing was started/],
  [
    'a source that is not there',
    ['run', ...own, 'mine', '-s', 'TORCH=nowhere'],
    /there is no .*nowhere.* to mount as TORCH/,
  ],
  ['an option that is none', ['run', ...own, 'mine', '-o', 'INSTALL_TRITON=e'], /cannot be "e"/],
  ['up: an unsigned image', ['up', ...own, 'bad'], /nothing was started/],
  ['up: a profile that is none', ['up', ...own, 'nothing'], /there is no profile "nothing"/],
  ['up: a name that is none', ['up', ...own, '--name', '../x', 'mine'], /cannot be the name/],
  ['up: a container that would remove itself', ['up', ...own, 'mine', '--rm'], /removed by tcf down/],
  ['exec: a container that is not there', ['exec', ...own, 'mine'], /there is no dev container/],
])('%s starts nothing', async ([, args, message]) => {
  const ran = await tcf(...args);
  expect(ran.exit).toBe(125);
  expect(ran.err).toMatch(message);
  expect(ran.started.filter(([, verb]) => verb === 'run' || verb === 'exec' || verb === 'start')).toEqual([]);
});

test.for<readonly [string, readonly string[], RegExp]>([
  ['exec: the latest container, whose name is then a command', ['-l', 'x'], /"-l" has no place/],
  ['exec: the same among other letters', ['-itl', 'x'], /"-l" has no place/],
  ['exec: the container that a file names', ['--cidfile', 'x'], /"--cidfile" has no place/],
  ['exec: a dry run, which it does not know', ['--dry-run'], /"--dry-run" has no place/],
])('%s', async ([, flags, message]) => {
  await tcf('up', ...own, 'mine');
  const ran = await tcf('exec', ...own, ...flags, 'mine', 'true');
  expect(ran).toMatchObject({ exit: 125, err: expect.stringMatching(message) });
  expect(ran.started.some(([, verb]) => verb === 'exec')).toBe(false);
});

test('a dry run of up does not start what is there', async () => {
  await tcf('up', ...own, 'mine');
  const stopped = containers.get('tcf-mine');
  if (stopped) stopped.running = false;
  const ran = await tcf('up', ...own, '--dry-run', 'mine');
  expect(ran).toMatchObject({ exit: 0, out: `podman start ${containerId}\n` });
  expect(ran.started.some(([, verb]) => verb === 'start')).toBe(false);
});

test('up, exec, up again, down', async () => {
  const up = await tcf('up', ...own, 'mine');
  expect(up.exit, up.err).toBe(0);
  expect(up.started.at(-1)).toEqual(
    expect.arrayContaining(['--detach', '--name=tcf-mine', pinned, 'sleep', 'infinity']),
  );
  const exec = await tcf('exec', ...own, 'mine', 'make', '-j2');
  expect(exec.exit, exec.err).toBe(0);
  expect(exec.started.at(-1)).toEqual([
    '/usr/bin/podman',
    'exec',
    '--interactive',
    '--user=ann',
    containerId,
    'make',
    '-j2',
  ]);
  const stopped = containers.get('tcf-mine');
  if (stopped) stopped.running = false;
  expect(await tcf('exec', ...own, 'mine')).toMatchObject({
    exit: 125,
    err: expect.stringMatching(/does not run/),
  });
  expect((await tcf('up', ...own, 'mine')).started.at(-1)).toEqual(['/usr/bin/podman', 'start', containerId]);
  expect(await tcf('down', 'mine')).toMatchObject({ exit: 0 });
  expect(containers.size).toBe(0);
  expect(await tcf('down', 'mine')).toMatchObject({
    exit: 3,
    err: expect.stringMatching(/there is no dev container/),
  });
});

test('a policy that has become stricter keeps everybody out', async () => {
  await tcf('up', ...own, 'mine');
  const ran = await tcf('exec', '--policy', 'stricter.yaml', '--allow-http', 'mine');
  expect(ran.exit).toBe(125);
  expect(ran.started.some(([, verb]) => verb === 'exec')).toBe(false);
});

test('a container of that name that was made from something else is not started and not entered', async () => {
  containers.set('tcf-mine', { image: pinned, id: `sha256:${'e'.repeat(64)}`, running: false });
  expect(await tcf('up', ...own, 'mine')).toMatchObject({
    exit: 125,
    err: expect.stringMatching(/was made from sha256:eee.*tcf down mine/s),
  });
  containers.set('tcf-mine', { image: pinned, id: `sha256:${'e'.repeat(64)}`, running: true });
  const ran = await tcf('exec', ...own, 'mine');
  expect(ran.exit).toBe(125);
  expect(ran.started.some(([, verb]) => verb === 'exec')).toBe(false);
});
