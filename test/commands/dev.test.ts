import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { main } from '../../src/cli.ts';
import type { Finished } from '../../src/system/program.ts';
import { imageIdsOn, pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type TestHostOptions, testHost, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { keyPolicy, writeKeyPair } from '../support/scene.ts';

/* The launcher of profiles, and dev containers that stay, with an engine that remembers. */

let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let pinned: string;
let configDigest: string;

interface Kept {
  image: string;
  id: string;
  running: boolean;
  labels?: Record<string, string>;
  /** What runs in it, one look after the other. */
  top?: string[];
  health?: string[];
  exitCode?: number;
  stopSignal?: string;
  stopTimeout?: number;
}
/** What the next container does at its start. */
let next: Partial<Kept> = {};
const containers = new Map<string, Kept>();

const optionOf = (args: readonly string[], name: string, use: (value: string) => Partial<Kept>) => {
  const word = args.findLast((candidate) => candidate.startsWith(`--${name}=`));
  return word === undefined ? {} : use(word.slice(name.length + 3));
};

function engine(args: readonly string[]): Partial<Finished> {
  if (args[0] === '-u' || args[0] === '-g') {
    return args.at(-1) === 'nobody-here' ? { code: 1 } : { stdout: '1234\n' };
  }
  if (args[0] === '-un') {
    return { stdout: 'ann\n' };
  }
  const [verb = '', noun = ''] = args;
  if (verb === 'image') {
    return { stdout: `${configDigest.slice(7)}\n` };
  }
  const name = args.find((word) => word.startsWith('--name='))?.slice('--name='.length);
  if (verb === 'run' && name !== undefined) {
    containers.set(name, {
      image: args.find((word) => word.includes('@sha256:')) ?? '',
      id: configDigest,
      running: true,
      labels: Object.fromEntries(
        args.filter((word) => word.startsWith('--label=')).map((word) => word.slice(8).split(/=(.*)/s)),
      ),
      ...optionOf(args, 'stop-signal', (stopSignal) => ({ stopSignal })),
      ...optionOf(args, 'stop-timeout', (text) => ({ stopTimeout: Number(text) })),
      ...next,
    });
  }
  if (verb === 'container' && noun === 'ls') {
    return { stdout: containers.has(args.at(-1)?.replace(/^name=\^|\$$/g, '') ?? '') ? 'abc\n' : '' };
  }
  if (verb === 'top') {
    const [own] = containers.values();
    const shown = (own?.top?.length ?? 0) > 1 ? own?.top?.shift() : (own?.top?.[0] ?? 'sleep infinity');
    return { stdout: `PID         COMMAND\n1           ${shown}\n` };
  }
  if (verb === 'logs') {
    return { stdout: 'installing software\n' };
  }
  const kept = containers.get(args.at(-1) ?? '') ?? (verb === 'rm' ? [...containers.values()][0] : undefined);
  if (verb === 'container' && kept) {
    return {
      stdout: JSON.stringify([
        {
          Image: kept.id,
          Config: {
            Image: kept.image,
            Env: ['USERNAME=ann'],
            Cmd: ['sleep', 'infinity'],
            Labels: kept.labels ?? null,
            StopSignal: kept.stopSignal ?? 15,
            ...(kept.stopTimeout === undefined ? {} : { StopTimeout: kept.stopTimeout }),
          },
          Id: containerId,
          State: {
            Running: kept.running,
            ExitCode: kept.exitCode ?? 0,
            ...(kept.health === undefined
              ? {}
              : { Health: { Status: kept.health.length > 1 ? kept.health.shift() : kept.health[0] } }),
          },
        },
      ]),
    };
  }
  if (verb === 'start' && kept) {
    kept.running = true;
  }
  if (verb === 'rm') {
    containers.clear();
  }
  return {};
}

const world = (): TestHostOptions => ({
  cwd: place.path,
  env: { COSIGN_PASSWORD: 'x', MAX_JOBS: '2' },
  answer: engine,
});
const tcf = (...args: readonly string[]): Promise<Called> => type(args, world());
const own = ['--policy', 'policy.yaml', '--allow-http'];

const containerId = 'c0'.repeat(32);

beforeAll(async () => {
  place = folder();
  registry = await startRegistry();
  pinned = `${registry.host}/dev@${await pushDemoImage({ host: registry.host, repository: 'dev', tag: '1' })}`;
  configDigest = imageIdsOn(registry)[0] ?? '';
  await pushDemoImage({ host: registry.host, repository: 'dev', tag: 'unsigned', deb: 'other' });
  writeKeyPair(place.path, 'team');
  const policy = (by: string) => keyPolicy(registry.host, 'signed: { by: [team] }', { team: `${by}.pub` });
  writeFileSync(join(place.path, 'policy.yaml'), policy('team'));
  writeKeyPair(place.path, 'other');
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
beforeEach(() => {
  containers.clear();
  next = {};
});
const did = (ran: Called, verb: string) => ran.started.find(([, word]) => word === verb);

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
  [
    'up: an image that nobody built',
    ['up', ...own, 'cpu'],
    /that image was not built here[\s\S]*tcf build cpu --key FILE/,
  ],
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

test('exec asks anew, and says how where up was given the only policy', async () => {
  await tcf('up', ...own, 'mine');
  const ran = await tcf('exec', '--allow-http', 'mine', 'true');
  expect(ran).toMatchObject({ exit: 125, err: expect.stringContaining('tcf exec --policy FILE mine') });
  expect(ran.started.some(([, verb]) => verb === 'exec')).toBe(false);
});

test('a dry run of up does not start what is there', async () => {
  await tcf('up', ...own, 'mine');
  const stopped = containers.get('tcf-mine');
  if (stopped) {
    stopped.running = false;
  }
  const ran = await tcf('up', ...own, '--dry-run', 'mine');
  expect(ran).toMatchObject({ exit: 0, out: `podman start ${containerId}\n` });
  expect(ran.started.some(([, verb]) => verb === 'start')).toBe(false);
});

test('up, exec, up again, down', async () => {
  const up = await tcf('up', ...own, 'mine');
  expect(up.exit, up.err).toBe(0);
  expect(up.err).toMatch(/tcf exec --policy policy\.yaml --allow-http mine goes in/);
  expect(did(up, 'run')).toEqual(
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
  if (stopped) {
    stopped.running = false;
  }
  expect(await tcf('exec', ...own, 'mine')).toMatchObject({
    exit: 125,
    err: expect.stringMatching(/does not run/),
  });
  expect(did(await tcf('up', ...own, 'mine'), 'start')).toEqual(['/usr/bin/podman', 'start', containerId]);
  expect(await tcf('down', 'mine')).toMatchObject({ exit: 0 });
  expect(containers.size).toBe(0);
  expect(await tcf('down', 'mine')).toMatchObject({
    exit: 3,
    err: expect.stringMatching(/there is no dev container/),
  });
});

test.for<readonly [string, Partial<Kept>, number, RegExp, number]>([
  [
    'until the set-up of the image comes to its command',
    { top: ['bash /entrypoint.sh', 'bash /entrypoint.sh', 'sleep infinity'] },
    0,
    /installing software\n(?:.*\n)*tcf: tcf-mine is running/,
    3,
  ],
  [
    'until its health check passes, whatever runs',
    { health: ['starting', 'starting', 'healthy'] },
    0,
    /tcf-mine is running/,
    3,
  ],
  [
    'and says that its health check fails',
    { health: ['starting', 'unhealthy'] },
    125,
    /its health check fails/,
    2,
  ],
  [
    'and says that the set-up ended',
    { running: false, exitCode: 7 },
    125,
    /installing software\n(?:.*\n)*.*the set-up of tcf-mine failed: it ended with exit code 7/,
    1,
  ],
])('up waits %s', async ([, kept, exit, message, looks]) => {
  next = kept;
  const ran = await tcf('up', ...own, 'mine');
  expect(ran.err).toMatch(message);
  expect(ran.exit).toBe(exit);
  expect(ran.started.filter(([, verb]) => verb === 'logs')).toHaveLength(looks);
});

test('exec does not go into a container that is still being set up', async () => {
  await tcf('up', ...own, 'mine');
  const kept = containers.get('tcf-mine');
  if (kept) {
    kept.top = ['bash /entrypoint.sh'];
  }
  const ran = await tcf('exec', ...own, 'mine');
  expect(ran).toMatchObject({ exit: 125, err: expect.stringMatching(/still being set up.*\n.*tcf up mine/) });
  expect(did(ran, 'exec')).toBeUndefined();
});

test('up says what the container was made with, and makes it again', async () => {
  await tcf('up', ...own, 'mine');
  expect((await tcf('up', ...own, 'mine')).err).not.toMatch(/other options/);
  const other = await tcf('up', '--shm-size=2g', ...own, 'mine', '-j', '7');
  expect(other.exit, other.err).toBe(0);
  expect(other.err).toMatch(/other options.*\n.*- --env=MAX_JOBS=2\n(?:.*\n)*.*\+ --env=MAX_JOBS=7/);
  expect(other.err).toMatch(/\+ --shm-size=2g/);
  expect(did(other, 'run')).toBeUndefined();
  const again = await tcf('up', '--shm-size=2g', '--recreate', ...own, 'mine', '-j', '7');
  expect(again.exit, again.err).toBe(0);
  expect(did(again, 'rm')).toEqual(['/usr/bin/podman', 'rm', '--force', '--time', '0', containerId]);
  expect(did(again, 'run')).toContain('--env=MAX_JOBS=7');
});

test.for<readonly [string, readonly string[], readonly string[], string, RegExp]>([
  ['that only waits, at once', [], [], '0', /^tcf: tcf-mine is gone/],
  [
    'with a command of its own, in 10 seconds',
    ['--', 'serve'],
    [],
    '10',
    /asked tcf-mine to end; what does not within 10/,
  ],
  ['with a time of its own', ['--', 'serve'], ['--stop-timeout=60'], '60', /within 60 seconds/],
])('down ends a container %s', async ([, command, flags, seconds, message]) => {
  next = { top: ['sleep infinity'] };
  await tcf('up', ...flags, ...own, 'mine', ...command);
  const ran = await tcf('down', 'mine');
  expect(did(ran, 'rm')).toEqual(['/usr/bin/podman', 'rm', '--force', '--time', seconds, containerId]);
  expect(ran.err).toMatch(message);
});

test('down and --recreate take a time, as podman and docker do', async () => {
  await tcf('up', ...own, 'mine', '--', 'serve');
  expect(did(await tcf('up', ...own, '--recreate', '--time=3', 'mine'), 'rm')).toContain('3');
  await tcf('up', ...own, '--recreate', 'mine', '--', 'serve');
  expect(did(await tcf('down', 'mine', '--time', '0'), 'rm')).toContain('0');
  await tcf('up', ...own, '--engine=docker', 'mine', '--', 'serve');
  expect(await tcf('down', 'mine', '--time', 'soon')).toMatchObject({
    exit: 3,
    err: expect.stringMatching(/"soon" is not a time in whole seconds/),
  });
});

test('docker asks a container to end, which its rm --force does not', async () => {
  const docker = (...args: readonly string[]) =>
    type(args, { cwd: place.path, env: { COSIGN_PASSWORD: 'x' }, answer: engine, found: ['docker'] });
  await docker('up', ...own, '--engine=docker', 'mine', '--', 'serve');
  const ran = await docker('down', '--engine=docker', 'mine');
  expect(ran.started.slice(-2)).toEqual([
    ['/usr/bin/docker', 'stop', '-t', '10', containerId],
    ['/usr/bin/docker', 'rm', '--force', containerId],
  ]);
});

describe('one at a time works on a dev container', () => {
  const lock = () => join(place.path, 'home/.cache/tcf/locks/tcf-mine');
  /** As proc(5) has it; the name of the program may have blanks and parentheses in it. */
  const startOf = (pid: string) =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')[19];
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const space = readlinkSync('/proc/self/ns/pid');
  const parent = () => String(process.ppid);

  test.for<readonly [string, () => string]>([
    ['of a process that is gone', () => `999999999 1 ${boot} ${space}`],
    ['of a process whose number another one has', () => `${parent()} 1 ${boot} ${space}`],
    ['of another boot', () => `${parent()} ${startOf(parent())} other-boot ${space}`],
    ['of an older tcf', () => '1'],
    ['of nobody', () => ''],
  ])('a lock %s counts for nothing', async ([, text]) => {
    await tcf('up', ...own, 'mine');
    expect(existsSync(lock())).toBe(false);
    writeFileSync(lock(), text());
    const ran = await tcf('up', ...own, 'mine');
    expect(ran).toMatchObject({ exit: 0, err: expect.not.stringMatching(/waiting/) });
    expect(existsSync(lock())).toBe(false);
    expect(readdirSync(join(lock(), '..'))).toEqual([]);
  });

  test.for<readonly [string, () => string, RegExp]>([
    [
      'of a process that is at work',
      () => `${parent()} ${startOf(parent())} ${boot} ${space}`,
      /waiting for process \d+, which is at work on tcf-mine\n/,
    ],
    [
      'of a process in another container, which nobody here can look for',
      () => `1 1 ${boot} pid:[1]`,
      /waiting for process 1, .* of another container; remove .*locks\/tcf-mine if it is gone/,
    ],
  ])('a lock %s is waited for', async ([, text, message]) => {
    await tcf('up', ...own, 'mine');
    writeFileSync(lock(), text());
    const host = testHost(world());
    const waiting = main(['up', ...own, 'mine'], host);
    await vi.waitFor(() => expect(host.err()).toMatch(message), { timeout: 20_000 });
    rmSync(lock());
    expect(await waiting).toBe(0);
  });

  test('two of one process too', async () => {
    const both = await Promise.all([tcf('up', ...own, 'mine'), tcf('up', ...own, 'mine')]);
    expect(both.map(({ exit }) => exit)).toEqual([0, 0]);
    expect(both.filter((ran) => did(ran, 'run') !== undefined)).toHaveLength(1);
  });
});

test.for<readonly [string, boolean, string, Record<string, string>]>([
  ['started', false, 'up', {}],
  ['entered', true, 'exec', {}],
  // `podman commit` of a dev container keeps its labels.
  [
    'started, also with the label of an image',
    false,
    'up',
    { 'dev.tcf.profile': `[[],[],"sha256:${'e'.repeat(64)}"]` },
  ],
  ['started, also with another label', false, 'up', { 'dev.tcf.profile': '[[],[]]' }],
])('a container of that name that somebody else made is not %s', async ([, running, verb, labels]) => {
  containers.set('tcf-mine', { image: pinned, id: configDigest, running, labels });
  const ran = await tcf(verb, ...own, 'mine');
  expect(ran).toMatchObject({
    exit: 125,
    err: expect.stringMatching(
      /tcf did not make the container "tcf-mine".*\n.*tcf down mine, then tcf up mine/,
    ),
  });
  expect(ran.started.some(([, word]) => word === 'start' || word === 'exec')).toBe(false);
  expect(await tcf('up', ...own, '--recreate', 'mine')).toMatchObject({ exit: 0 });
});

test('exec asks the store about an image that was built here, and no registry', async () => {
  const image = `localhost/mine@sha256:${'e'.repeat(64)}`;
  containers.set('tcf-mine', { image, id: configDigest, running: true });
  expect(await tcf('exec', ...own, 'mine')).toMatchObject({
    exit: 125,
    err: expect.stringMatching(/the local store has no image/),
  });
});

test.for<readonly [string, readonly string[]]>([
  ['-v', ['-v', '/srv/me/.triton:/root/.triton']],
  ['letters together', ['-itv/srv/me:/root/.triton/cache']],
  ['--mount', ['--mount', 'type=bind,src=/srv/me/.triton,dst=/x']],
  ['a volume', ['--volume=kernels:/root/.triton']],
  ['a variable of Triton', ['-v', 'kernels:/data', '-e', 'TRITON_CACHE_DIR=/data/cache']],
  ['a variable of torch', ['-v', 'kernels:/data/x', '-e', 'TORCHINDUCTOR_CACHE_DIR=/data']],
  ['a folder that has one in it', ['-v', 'HOME:/root']],
])('a mounted cache of kernels is told: %s', async ([, flags]) => {
  mkdirSync(join(place.path, 'me/.triton/cache'), { recursive: true });
  const words = flags.map((word) => word.replace('HOME', join(place.path, 'me')));
  const image = `${registry.host}/dev:1`;
  for (const line of [
    ['run', ...own, ...words, image],
    ['run', ...own, ...words, 'mine'],
    ['up', ...own, ...words, 'mine'],
  ]) {
    expect(await tcf(...line)).toMatchObject({
      exit: 0,
      err: expect.stringMatching(
        /compiled kernels of Triton lie there, or will: .*\ntcf: hint: every container/,
      ),
    });
  }
  expect((await tcf('run', ...own, '-v', '/srv/data:/data:ro', image)).err).not.toMatch(/kernels/);
  const readOnly = await tcf('run', ...own, '-v', '/srv/.triton:/t:ro', image);
  expect(readOnly.err).toMatch(/compiled kernels/);
  expect(readOnly.err).not.toMatch(/hint/);
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
