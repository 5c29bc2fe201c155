import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatState, type State } from '../../../src/attest/tuf/state.ts';
import { openServices } from '../../../src/sigstore/services.ts';
import { refreshTrust } from '../../../src/sigstore/trust/refresh.ts';
import { openTrustStore } from '../../../src/sigstore/trust/store.ts';
import { folder } from '../../support/host.ts';
import { serveTuf, TestTuf } from '../../support/tuf.ts';

const accept = () => {};
const now = new Date('2026-11-23T12:00:00Z');
const target = Buffer.from('{"first": 1}');
const services = openServices({ userAgent: 'tcf-test', sleep: async () => {} });
let place: ReturnType<typeof folder>;
let tuf: TestTuf;

beforeEach(() => {
  place = folder();
  tuf = new TestTuf(target, now);
});
afterEach(() => place[Symbol.dispose]());

const store = () => openTrustStore(place.path);
const slot = () => join(place.path, 'corp/tuf');
const newest = () =>
  join(slot(), readdirSync(slot()).sort((a, b) => parseInt(b, 10) - parseInt(a, 10))[0] ?? '');

async function refresh(url: string, known?: State): Promise<State> {
  const state = known ?? (await store().state('corp'));
  const mirror = new URL(url);
  const anchor = tuf.anchor;
  return refreshTrust({
    store: store(),
    name: 'corp',
    mirror,
    anchor,
    isOwn: true,
    known: state,
    services,
    now,
    accept,
  });
}

const versionOf = ({ repository }: State) => repository.timestamp?.version;

test('what was refreshed is there for the next run', async () => {
  await using mirror = await serveTuf(tuf.files);
  const state = await refresh(mirror.url);
  expect(await store().state('corp')).toMatchObject({
    mirror: `${mirror.url}/`,
    repository: { timestamp: { version: 1 } },
  });
  expect(Buffer.from(state.repository.trustedRoot?.bytes ?? [])).toEqual(target);
  expect(await store().names()).toEqual(['corp']);
});

test('a refresh with nothing new makes two requests, and writes nothing where nothing changed', async () => {
  await using mirror = await serveTuf(tuf.files);
  await refresh(mirror.url);
  const before = [mirror.requests.length, newest()];
  await refresh(mirror.url);
  expect([mirror.requests.length - 2, newest()]).toEqual(before);
});

test.for([404, 403])('%d for the next root means that there is none', async (status) => {
  await using mirror = await serveTuf(tuf.files, (path) => (path === '2.root.json' ? status : undefined));
  expect(versionOf(await refresh(mirror.url))).toBe(1);
});

describe('a bad mirror', () => {
  test.for(['2.root.json', 'timestamp.json', '1.snapshot.json', '1.targets.json'])(
    'that sends %s without an end is left',
    async (endless) => {
      await using mirror = await serveTuf(tuf.files, (path) => (path === endless ? 'endless' : undefined));
      await expect(refresh(mirror.url)).rejects.toMatchObject({
        code: 'sigstore.unreachable',
        message: expect.stringContaining('is larger than the limit'),
      });
    },
  );

  test('that sends a target without an end is left after the bytes that were announced', async () => {
    await using mirror = await serveTuf(tuf.files, (path) =>
      path.startsWith('targets/') ? 'endless' : undefined,
    );
    await expect(refresh(mirror.url)).rejects.toMatchObject({
      message: expect.stringContaining(`the limit of ${target.length} B`),
    });
  });

  test.for([
    [301, 'sigstore.refused'],
    [401, 'sigstore.refused'],
    [500, 'sigstore.unreachable'],
  ] as const)('that answers %d is not one that has no newer root', async ([status, code]) => {
    await using mirror = await serveTuf(tuf.files, (path) => (path === '2.root.json' ? status : undefined));
    await expect(refresh(mirror.url)).rejects.toMatchObject({ code, exit: 2 });
  });

  test('that is down changes nothing', async () => {
    const mirror = await serveTuf(tuf.files);
    await refresh(mirror.url);
    const before = readFileSync(newest());
    await mirror[Symbol.asyncDispose]();
    await expect(refresh(mirror.url)).rejects.toMatchObject({ code: 'sigstore.unreachable' });
    expect(readFileSync(newest())).toEqual(before);
  });
});

test('many refreshes at once, of mirrors that lag behind each other, end with the newest', async () => {
  for (let round = 0; round < 5; round += 1) {
    const lagging = await serveTuf(new Map(tuf.files));
    tuf.publish({ target: Buffer.from(`{"round": ${round}}`) });
    if (round === 3) {
      tuf.publishRoot();
    }
    const current = await serveTuf(tuf.files);
    const known = await store().state('corp');
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => refresh((index % 2 === 0 ? current : lagging).url, known)),
    );
    const state = await store().state('corp');
    expect(state && versionOf(state)).toBe(tuf.versions.timestamp);
    expect(state?.repository.root.version).toBe(tuf.versions.root);
    expect(Buffer.from(state?.repository.trustedRoot?.bytes ?? []).toString()).toBe(`{"round": ${round}}`);
    await lagging[Symbol.asyncDispose]();
    await current[Symbol.asyncDispose]();
  }
});

describe('a corrupt store', () => {
  const damages: readonly (readonly [string, (text: string) => string])[] = [
    ['half a file', (text) => text.slice(0, text.length / 2)],
    ['an empty file', () => ''],
    [
      'one changed letter of the trusted root',
      (text) => text.replace(/"trustedRoot": "./, '"trustedRoot": "/'),
    ],
    ['another document', () => '{"format": "tcf.other/1"}'],
  ];

  test.for(damages)('with %s is not used, and says so; an update makes it again', async ([, damage]) => {
    await using mirror = await serveTuf(tuf.files);
    await refresh(mirror.url);
    writeFileSync(newest(), damage(readFileSync(newest(), 'utf8')));
    await expect(store().state('corp')).rejects.toMatchObject({
      code: 'trust.corrupt',
      exit: 2,
      hint: expect.stringContaining('tcf trust update corp'),
    });
    const state = await refreshTrust({
      store: store(),
      name: 'corp',
      mirror: new URL(mirror.url),
      anchor: tuf.anchor,
      isOwn: true,
      known: undefined,
      services,
      now,
      accept,
    });
    const again = await store().state('corp');
    expect(again && formatState(again)).toEqual(formatState(state));
  });
});

test.for(['', '..', '.', 'a/b', 'Corp', '../../etc', 'a\0b', 'x'.repeat(64)])(
  'the name %j is refused before it becomes a path',
  async (name) => {
    await expect(store().state(name)).rejects.toMatchObject({ code: 'trust.name', exit: 3 });
  },
);

test('an imported root is kept beside, and the last import counts', async () => {
  expect(await store().imported('corp')).toBeUndefined();
  for (const text of ['one', 'two']) {
    await store().import('corp', { bytes: new Uint8Array(Buffer.from(text)), importedAt: now });
  }
  expect(await store().imported('corp')).toEqual({
    bytes: new Uint8Array(Buffer.from('two')),
    importedAt: now,
  });
  const path = join(place.path, 'corp/imported/2.json');
  for (const text of [
    '{}',
    '{"format":"tcf.imported-root/1"}',
    '{"format":"tcf.imported-root/1","trustedRoot":"*"}',
    '{"format":"tcf.imported-root/1","trustedRoot":"","importedAt":"?"}',
  ]) {
    writeFileSync(path, text);
    await expect(store().imported('corp')).rejects.toMatchObject({ code: 'trust.corrupt' });
  }
});

test('a writer that is killed leaves a whole state, and never an older one than it reported', async () => {
  await using mirror = await serveTuf(tuf.files);
  const state = await refresh(mirror.url);
  const file = join(place.path, 'state.json');
  writeFileSync(file, formatState(state));
  for (let kill = 1; kill <= 6; kill += 1) {
    const reported = await killAfter(kill, file);
    const kept = await store().state('corp');
    const seconds = (Number(kept?.repository.trustedRoot?.refreshedAt) - Number(now)) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(reported);
  }
  expect(await refresh(mirror.url)).toMatchObject({ repository: { timestamp: { version: 1 } } });
});

/**
 * Ends a writer without warning once it has reported so many writes, while it is busy with the next; resolves
 * with its last report.
 */
function killAfter(writes: number, file: string): Promise<number> {
  const writer = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../support/tuf-writer.ts'), place.path, file],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let last = 0;
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    last = Number(text.trim().split('\n').at(-1));
    if (last >= writes) {
      writer.kill('SIGKILL');
    }
  });
  return new Promise((resolve, reject) => {
    writer.on('error', reject);
    writer.on('close', (_, signal) =>
      signal === 'SIGKILL' ? resolve(last) : reject(new Error('the writer failed')),
    );
  });
}
