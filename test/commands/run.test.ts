import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageIdsOn, pushDemoImage } from '../support/demo-image.ts';
import type { TestRegistry } from '../support/registry.ts';
import { openScene, type Scene } from '../support/scene.ts';

let scene: Scene;
let registry: TestRegistry;
let name: string;
let pinned: string;
let configDigest: string;

beforeAll(async () => {
  const policies = { 'policy.yaml': 'signed: { by: [team] }, sbom: { by: [team] }' };
  scene = await openScene({ repository: 'triton/dev', policies, signed: 'with its SBOM' });
  ({ name, pinned, registry } = scene);
  configDigest = imageIdsOn(registry)[0] ?? '';
});
afterAll(() => scene[Symbol.asyncDispose]());

/** An engine that holds the right image and whose container exits with 42. */
const engine = ([verb = '']: readonly string[]) =>
  verb === 'image'
    ? { stdout: `${configDigest.slice('sha256:'.length)}\n` }
    : { code: verb === 'run' ? 42 : 0 };
const tcf: Scene['tcf'] = (...args) => scene.tcfWith({ answer: engine }, ...args);
const run = (...args: string[]) => tcf('run', '--policy', 'policy.yaml', '--allow-http', ...args);

test('starts the digest that was verified, and returns what the container returned', async () => {
  const ran = await run('--rm', '-v', 'a:b', name, 'python3', '--help');
  expect(ran.exit, ran.err).toBe(42);
  expect(ran.started.at(-1)).toEqual([
    '/usr/bin/podman',
    'run',
    '--pull=never',
    '--rm',
    '-v',
    'a:b',
    pinned,
    'python3',
    '--help',
  ]);
  expect(ran.started.slice(0, -1).every((words) => words.includes(pinned))).toBe(true);
});

test('--quiet says nothing of what starts, and still why something does not', async () => {
  expect(await run('--quiet', name)).toMatchObject({ exit: 42, err: '' });
  const bare = `${registry.host}/triton/bare:1`;
  await pushDemoImage({ host: registry.host, repository: 'triton/bare', tag: '1' });
  const denied = await run('--quiet', bare);
  expect(denied.exit).toBe(125);
  expect(denied.err).toContain('signed: the image has no signature by a trusted signer');
  expect(denied.err).toContain('tcf: nothing was started');
});

test('asks for the tag once', async () => {
  const before = registry.requests.length;
  await run(name);
  const asked = registry.requests.slice(before).filter(({ path }) => path.endsWith('/manifests/latest'));
  expect(asked).toHaveLength(1);
});

test('a tag that moves between any two requests never starts another digest', async () => {
  const evil = await pushDemoImage({
    host: registry.host,
    repository: 'triton/dev',
    tag: 'evil',
    deb: 'openssh-server',
  });
  const good = registry.manifests.get('triton/dev:latest');
  const bad = registry.manifests.get('triton/dev:evil');
  if (good === undefined || bad === undefined) {
    throw new Error('both images must be there');
  }
  let count = 0;
  let swapAt = 0;
  registry.fault(/^GET /, {
    before: () => {
      if (count === swapAt) {
        registry.manifests.set('triton/dev:latest', bad);
      }
      count += 1;
    },
  });
  for (; swapAt === 0 || count > swapAt; swapAt += 1) {
    registry.manifests.set('triton/dev:latest', good);
    count = 0;
    const ran = await run('--no-cache', name);
    expect(ran.started.flat().join(' ')).not.toContain(evil);
    if (ran.exit === 42) {
      expect(ran.started.at(-1)).toContain(pinned);
    } else {
      expect(ran).toMatchObject({ exit: 125, started: [] });
    }
  }
  // The loop ends when the swap would come after the last request; before that it came between any two.
  expect(swapAt).toBeGreaterThan(4);
  registry.manifests.set('triton/dev:latest', good);
});

test('help is for us where it stands before the image', async () => {
  expect(await tcf('run', '--help')).toMatchObject({
    exit: 0,
    out: expect.stringMatching(/^Usage: tcf run/),
    started: [],
  });
});

describe('starts nothing and exits 125', () => {
  test.for<readonly [string, readonly string[], RegExp]>([
    ['for an image that nobody signed', ['unsigned'], /✗ signed.*nothing was started/s],
    ['for an image that is not there', ['gone'], /the registry has no/],
    ['for a name that is none', ['UPPER'], /cannot read .* as an image reference/],
    ['without a policy', ['nopolicy'], /there is no policy/],
    ['for a flag that could hide the image', ['--sneaky', 'x'], /does not know the flag "--sneaky"/],
    ['for an engine nobody has', ['--engine', 'lxc', 'x'], /does not know the engine "lxc"/],
  ])('%s', async ([, words, message]) => {
    await pushDemoImage({ host: registry.host, repository: 'triton/unsigned', tag: 'latest', deb: 'telnet' });
    const names: Record<string, string> = {
      unsigned: `${registry.host}/triton/unsigned`,
      gone: `${registry.host}/triton/gone`,
      UPPER: `${registry.host}/UPPER`,
    };
    const ran =
      words[0] === 'nopolicy'
        ? await tcf('run', '--allow-http', name)
        : await run(...words.map((word) => names[word] ?? word));
    expect(ran.exit, ran.err).toBe(125);
    expect(ran.err).toMatch(message);
    expect(ran.started.filter((started) => started.includes('run') || started.includes('pull'))).toEqual([]);
  });
});
