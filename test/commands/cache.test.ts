import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pushDemoImage } from '../support/demo-image.ts';
import { type Called, folder, type } from '../support/host.ts';
import type { TestRegistry } from '../support/registry.ts';
import { openScene, type Scene } from '../support/scene.ts';

/* The cache holds what was found, never what was decided: each of its answers is proven again. */

const require = (who: string) => `signed: { by: [${who}] }, sbom: { by: [${who}] }`;
let scene: Scene;
let registry: TestRegistry;
let name: string;
let digest: string;

beforeAll(async () => {
  const policies = { 'team.yaml': require('team'), 'other.yaml': require('other') };
  scene = await openScene({ keys: ['team', 'other'], policies, signed: 'with its SBOM' });
  ({ digest, pinned: name, registry } = scene);
});
afterAll(() => scene[Symbol.asyncDispose]());

const cacheOf = () => join(scene.path, 'home/.cache/tcf/evidence');
const onlyFile = () => join(cacheOf(), readdirSync(cacheOf())[0] ?? 'none');

/** The cache is warm and whole before each test. */
beforeEach(async () => {
  rmSync(cacheOf(), { recursive: true, force: true });
  expect(await verify(name)).toMatchObject({ exit: 0 });
});

const tcf: Scene['tcf'] = (...args) => scene.tcf(...args);

async function verify(image: string, ...more: readonly string[]): Promise<Called & { requests: number }> {
  return await verifyAt(new Date('2026-11-23T12:00:00Z'), image, ...more);
}

async function verifyAt(now: Date, image: string, ...more: readonly string[]) {
  const before = registry.requests.length;
  const args = [
    'verify',
    image,
    '--allow-http',
    ...(more.includes('--policy') ? [] : ['--policy', 'team.yaml']),
  ];
  const called = await scene.tcfWith({ now }, ...args, ...more);
  return { ...called, requests: registry.requests.length - before };
}

test('a second verify by digest asks nobody, and says the same', async () => {
  const first = await verify(name);
  const second = await verify(name, '--cache');
  expect(second).toMatchObject({ exit: 0, requests: 0, err: first.err });
});

test('a tag is always asked, and nothing but the tag', async () => {
  expect(await verify(`${registry.host}/dev:latest`, '--cache')).toMatchObject({ exit: 0, requests: 1 });
});

test('without --cache the registry is asked', async () => {
  expect((await verify(name)).requests).toBeGreaterThan(3);
});

test('the launcher uses it, unless told otherwise', async () => {
  const launch = async (...flags: readonly string[]) => {
    const before = registry.requests.length;
    await tcf('run', '--policy', 'team.yaml', '--allow-http', '--dry-run', ...flags, name);
    return registry.requests.length - before;
  };
  expect(await launch()).toBe(0);
  expect(await launch('--no-cache')).toBeGreaterThan(3);
});

test('a registry that is down does not stop a cached yes', async () => {
  registry.fault(/^GET /, { status: 503, times: 1000 });
  expect(await verify(name, '--cache')).toMatchObject({ exit: 0 });
  registry.clearFaults();
});

test('a policy that wants another signer is asked anew and says no', async () => {
  const ran = await verify(name, '--cache', '--policy', 'other.yaml');
  expect(ran.exit).toBe(1);
  expect(ran.requests).toBeGreaterThan(0);
  // A no is not kept, and what it rests on is not either.
  expect(readdirSync(cacheOf())).toEqual([]);
});

test('a signature that came after a no is found', async () => {
  const other = await pushDemoImage({ host: registry.host, repository: 'late', tag: '1', deb: 'late' });
  const late = `${registry.host}/late@${other}`;
  expect(await verify(late, '--cache')).toMatchObject({ exit: 1 });
  await tcf('sign', late, '--key', 'team.key', '--allow-http');
  expect(await verify(late, '--cache')).toMatchObject({ exit: 0 });
});

describe('is not used', () => {
  const isAskedAnew = async (now?: Date) => {
    const ran = await verifyAt(now ?? new Date('2026-11-23T12:00:00Z'), name, '--cache');
    expect(ran.exit, ran.err).toBe(0);
    expect(ran.requests).toBeGreaterThan(3);
    return ran;
  };

  test('after a day', async () => {
    await isAskedAnew(new Date('2026-11-24T12:00:01Z'));
  });

  test('when it is from the future: the clock was set back', async () => {
    await isAskedAnew(new Date('2026-11-23T11:59:59Z'));
  });

  test('when others may write it', async () => {
    chmodSync(cacheOf(), 0o777);
    expect((await isAskedAnew()).err).toMatch(/can be written by others/);
  });

  test.for<readonly [string, (text: string) => string]>([
    ['when it was cut', (text) => text.slice(0, text.length / 2)],
    ['when it is empty', () => ''],
    ['when it is of another format', (text) => text.replace('tcf.evidence/1', 'tcf.evidence/9')],
    ['when a blob was changed', (text) => text.replace(/("blobs":.*"bytes":")..../, '$1AAAA')],
    ['when a manifest was changed', (text) => text.replace(/("bytes":")..../, '$1e30K')],
    ['when its date is none', (text) => text.replace(/"at":"[^"]*"/, '"at":"soon"')],
  ])('%s', async ([, change]) => {
    const text = readFileSync(onlyFile(), 'utf8');
    const changed = change(text);
    expect(changed).not.toBe(text);
    writeFileSync(onlyFile(), changed);
    await isAskedAnew();
  });

  test('when evidence was taken out of it', async () => {
    const memory = JSON.parse(readFileSync(onlyFile(), 'utf8'));
    for (const one of memory.referrers) {
      one.found = [];
    }
    writeFileSync(onlyFile(), JSON.stringify(memory));
    await isAskedAnew();
  });
});

test("what a cache claims is proven: a stranger's image under the name of a good one is denied", async () => {
  const evil = await pushDemoImage({
    host: registry.host,
    repository: 'evil',
    tag: '1',
    deb: 'openssh-server',
  });
  const memory = JSON.parse(readFileSync(onlyFile(), 'utf8'));
  const good = onlyFile();
  expect(await verify(`${registry.host}/evil@${evil}`)).toMatchObject({ exit: 1 });
  const stored = registry.manifests.get(`evil:${evil}`) ?? registry.manifests.get('evil:1');
  for (const one of memory.manifests) {
    if (one.reference === digest) {
      one.bytes = Buffer.from(stored?.bytes ?? '').toString('base64');
    }
  }
  writeFileSync(good, JSON.stringify(memory));
  const ran = await verify(name, '--cache');
  expect(ran.exit).toBe(0);
  expect(ran.requests).toBeGreaterThan(3);
  expect(ran.out + ran.err).not.toContain(`${evil}: allowed`);
  expect(ran.err).toMatch(/the cache is not used/);
});

test('a cache that cannot be written is a warning and no more', async () => {
  const elsewhere = folder();
  mkdirSync(join(elsewhere.path, 'home'));
  writeFileSync(join(elsewhere.path, 'home/.cache'), 'a file');
  const ran = await type(['verify', name, '--allow-http', '--policy', join(scene.path, 'team.yaml')], {
    cwd: elsewhere.path,
  });
  expect(ran.exit, ran.err).toBe(0);
  expect(ran.err).toMatch(/warning: the cache is not written/);
  elsewhere[Symbol.dispose]();
});
