import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Digest, digestOf, hexOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { writeKeyPair } from '../support/scene.ts';

const place = folder();
const as = 'quay.io/triton-dev-containers/cpu';
let registry: TestRegistry;
/** Without the referrers API. */
let other: TestRegistry;
let image: Digest;
let index: Digest;

beforeAll(async () => {
  registry = await startRegistry();
  image = await pushDemoImage({ host: registry.host, repository: 'cpu', tag: 'amd64' });
  const arm64 = await pushDemoImage({ host: registry.host, repository: 'cpu', tag: 'arm64', deb: 'nano' });
  const entry = (digest: Digest, architecture: string) => ({
    mediaType: mediaTypes.manifest,
    digest,
    size: registry.manifests.get(`cpu@${digest}`)?.bytes.length,
    platform: { os: 'linux', architecture },
  });
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [entry(image, 'amd64'), entry(arm64, 'arm64')],
    }),
  );
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const repository = { registry: registry.host, repository: 'cpu' };
  index = (await client.pushManifest(repository, '1', mediaTypes.index, bytes)).digest;
  writeKeyPair(place.path, 'team');
  writeFileSync(
    join(place.path, 'policy.yaml'),
    `version: 1
trust: { logs: { key: 0 } }
signers: { team: { keyFile: team.pub } }
scopes:
  - { match: quay.io/triton-dev-containers, require: { signed: { by: [team] }, sbom: { by: [team] } } }
  - { match: "${registry.host}", require: { signed: { by: [team] }, sbom: { by: [team] } } }
`,
  );
  const signed = await tcf('sign', `${registry.host}/cpu:1`, '--recursive', '--key', 'team.key');
  expect(signed.exit, signed.err).toBe(0);
});
beforeEach(async () => {
  other = await startRegistry({ referrersApi: false });
  return async () => {
    await other.close();
    for (const name of readdirSync(place.path).filter((entry) => entry.startsWith('layout'))) {
      rmSync(join(place.path, name), { recursive: true });
    }
  };
});
afterAll(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

const tcf = (...args: readonly string[]) =>
  type([...args, '--allow-http'], {
    cwd: place.path,
  });
const verify = (...args: readonly string[]) => tcf('verify', ...args, '--policy', 'policy.yaml');
const layoutIndex = (name: string) => JSON.parse(readFileSync(join(place.path, name, 'index.json'), 'utf8'));

test('an image in a registry goes to a layout, to a registry without the API, and verifies everywhere', async () => {
  const out = await tcf('copy', `${registry.host}/cpu:1`, 'oci:layout:1');
  expect(out, out.err).toMatchObject({ exit: 0, out: `${index}\n` });
  expect(out.err).toMatch(
    /^copied the image and 5 referrers: 8 manifests; \d+ blobs sent \(.* KiB\), 0 mounted, 0 there already\n$/,
  );
  expect(await verify('oci:layout:1', '--as', as)).toMatchObject({ exit: 0 });
  expect(await verify('oci:layout', '--as', as)).toMatchObject({ exit: 0 });

  const back = await tcf('copy', 'oci:layout', `docker://${other.host}/mirror/cpu:2`);
  expect(back, back.err).toMatchObject({ exit: 0, out: `${other.host}/mirror/cpu@${index}\n` });
  for (const [name, { bytes }] of registry.manifests) {
    const digest = digestOf(bytes);
    expect(other.manifests.get(`mirror/cpu@${digest}`)?.bytes.length, name).toBe(bytes.length);
  }

  await tcf('copy', `${other.host}/mirror/cpu:2`, 'oci:layout2:2');
  expect(await verify('oci:layout2:2', '--as', as, '--platform', 'linux/arm64')).toMatchObject({ exit: 0 });
});

test('a mirror verifies under its own name', async () => {
  const copied = await tcf('copy', `${registry.host}/cpu:1`, `${registry.host}/mirror/cpu:1`);
  expect(copied).toMatchObject({ exit: 0, err: expect.stringContaining(' there already') });
  expect(await verify(`${registry.host}/mirror/cpu:1`)).toMatchObject({ exit: 0 });
});

test('one platform is copied by its digest, with what is about it', async () => {
  const { exit, err } = await tcf('copy', `${registry.host}/cpu@${image}`, `${other.host}/cpu@${image}`);
  expect(exit, err).toBe(0);
  expect(err).toContain('the image and 2 referrers: 3 manifests');
  expect([...other.manifests.keys()].filter((name) => name.includes(':') && !name.includes('@'))).toEqual([
    `cpu:sha256-${hexOf(image)}`,
  ]);
});

test('a layout that has it already is left as it is, and a damaged blob is mended', async () => {
  await tcf('copy', `${registry.host}/cpu:1`, 'oci:layout:1');
  const before = layoutIndex('layout');
  const blobs = join(place.path, 'layout/blobs/sha256');
  const [first = ''] = readdirSync(blobs);
  const whole = readFileSync(join(blobs, first));
  writeFileSync(join(blobs, first), Buffer.alloc(whole.length));
  const again = await tcf('copy', `${registry.host}/cpu:1`, 'oci:layout:1');
  expect(again, again.err).toMatchObject({ exit: 0 });
  expect(readFileSync(join(blobs, first))).toEqual(whole);
  expect(layoutIndex('layout')).toEqual(before);
  expect(readdirSync(blobs).filter((name) => !/^[0-9a-f]{64}$/.test(name))).toEqual([]);
});

test('a name in a layout moves, and what others wrote there stays', async () => {
  await tcf('copy', `${registry.host}/cpu:arm64`, 'oci:layout:now');
  const theirs = { ...layoutIndex('layout'), annotations: { by: 'them' } };
  writeFileSync(join(place.path, 'layout/index.json'), JSON.stringify(theirs));
  await tcf('copy', `${registry.host}/cpu:1`, 'oci:layout:now');
  const after = layoutIndex('layout');
  expect(after.annotations).toEqual({ by: 'them' });
  const named = after.manifests.filter(
    ({ annotations }: { annotations?: object }) => annotations !== undefined,
  );
  expect(named).toMatchObject([
    { digest: index, annotations: { 'org.opencontainers.image.ref.name': 'now' } },
  ]);
});

test('ten copies into one layout at once lose nothing', async () => {
  const names = Array.from({ length: 10 }, (_, at) => `n${at}`);
  const copies = await Promise.all(
    names.map((name) => tcf('copy', `${registry.host}/cpu:1`, `oci:layout:${name}`)),
  );
  expect(copies.map(({ exit }) => exit)).toEqual(names.map(() => 0));
  for (const name of names) {
    expect(await verify(`oci:layout:${name}`, '--as', as)).toMatchObject({ exit: 0 });
  }
});

test.for<readonly [string, () => readonly string[], number, RegExp]>([
  ['an archive as source', () => ['oci-archive:x.tar', 'oci:layout'], 3, /cannot use oci-archive:/],
  [
    'a store as target',
    () => [`${registry.host}/cpu:1`, 'containers-storage:x'],
    3,
    /cannot use containers-storage:/,
  ],
  [
    'another digest',
    () => [`${registry.host}/cpu:1`, `${other.host}/cpu@${image}`],
    3,
    /is sha256:.*a copy keeps its digest/s,
  ],
  ['no such image', () => [`${registry.host}/cpu:none`, 'oci:layout'], 2, /has no/],
  ['no such layout', () => ['oci:nowhere', 'oci:layout'], 2, /is not an OCI image layout/],
  ['a number as name', () => [`${registry.host}/cpu:1`, 'oci:layout:@0'], 3, /cannot be the name/],
  [
    'a folder of other things',
    () => [`${registry.host}/cpu:1`, 'oci:layout-not'],
    3,
    /is not an OCI image layout and not empty/,
  ],
  ['a file', () => [`${registry.host}/cpu:1`, 'oci:policy.yaml'], 3, /cannot write into/],
  [
    'a layout that somebody is writing',
    () => [`${registry.host}/cpu:1`, 'oci:layout-locked'],
    2,
    /another process has been writing/,
  ],
])('%s: nothing is named', async ([, args, exit, message]) => {
  mkdirSync(join(place.path, 'layout-not'));
  writeFileSync(join(place.path, 'layout-not/notes'), 'mine');
  await tcf('copy', `${registry.host}/cpu:amd64`, 'oci:layout-locked:a');
  writeFileSync(join(place.path, 'layout-locked/.tcf.lock'), '');
  const ran = await tcf('copy', ...args());
  expect(ran.err).toMatch(message);
  expect(ran.exit).toBe(exit);
  expect(other.manifests.size).toBe(0);
  expect(
    layoutIndex('layout-locked').manifests.map((entry: { annotations?: object }) => entry.annotations),
  ).not.toContainEqual({
    'org.opencontainers.image.ref.name': '1',
  });
});

test('a registry that breaks off leaves a layout without the image', async () => {
  const layers = [...registry.blobs].filter(([, bytes]) => bytes[0] === 0x1f);
  registry.fault(new RegExp(`GET .*${layers[0]?.[0]}`), { status: 404, times: 1 });
  expect(await tcf('copy', `${registry.host}/cpu:1`, 'oci:layout:1')).toMatchObject({ exit: 2 });
  expect(layoutIndex('layout').manifests).toEqual([]);
  expect(
    readdirSync(join(place.path, 'layout/blobs/sha256')).filter((name) => name.endsWith('.tmp')),
  ).toEqual([]);
});
