import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Digest } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { pushDemoImage } from '../support/demo-image.ts';
import { folder, type } from '../support/host.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { writeKeyPair } from '../support/scene.ts';

/* `tcf gate --attest-vsa`: what was decided, signed for somebody who trusts the one who decided. */

const verifier = 'https://acme.example/gate';
let place: ReturnType<typeof folder>;
let registry: TestRegistry;
let images: Readonly<Record<'amd64' | 'arm64', Digest>>;
let index: Digest;

beforeEach(async () => {
  place = folder();
  registry = await startRegistry();
  const push = (tag: string, deb?: string) =>
    pushDemoImage({ host: registry.host, repository: 'dev', tag, ...(deb === undefined ? {} : { deb }) });
  images = { amd64: await push('amd64'), arm64: await push('arm64', 'openssh-server') };
  index = await pushIndex();
  writeKeyPair(place.path, 'team');
  writeKeyPair(place.path, 'gate');
  write('policy.yaml', 'signed: { by: [team] }');
  write('consumer.yaml', `vsa: { by: [gate], verifier: "${verifier}" }`);
});
afterEach(async () => {
  await registry.close();
  place[Symbol.dispose]();
});

const write = (name: string, require: string, more = '') =>
  writeFileSync(
    join(place.path, name),
    `version: 1\ntrust: { logs: { key: 0 } }\nsigners: { team: { keyFile: team.pub }, gate: { keyFile: gate.pub } }\nscopes: [{ match: "${registry.host}", ${more}require: { ${require} } }]\n`,
  );
const tcf = (...args: readonly string[]) => type(args, { cwd: place.path });
const key = (name: string) => ['--key', `${name}.key`];
const sign = (image: string, ...more: readonly string[]) =>
  tcf('sign', image, '--no-sbom', '--allow-http', ...key('team'), ...more);
const gate = (image: string, ...more: readonly string[]) =>
  tcf(
    'gate',
    image,
    '--policy',
    'policy.yaml',
    '--allow-http',
    ...key('gate'),
    '--attest-vsa',
    verifier,
    ...more,
  );
const verify = (image: string, ...more: readonly string[]) =>
  tcf('verify', image, '--policy', 'consumer.yaml', '--allow-http', ...more);
const named = (digest: Digest) => `${registry.host}/dev@${digest}`;
const attached = (err: string) =>
  [...err.matchAll(/attached the verification summary of (sha256:[0-9a-f]{64})/g)].map(
    ([, digest]) => digest,
  );

async function pushIndex(): Promise<Digest> {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const repository = { registry: registry.host, repository: 'dev' };
  const manifests = await Promise.all(
    (['amd64', 'arm64'] as const).map(async (architecture) => {
      const found = await client.manifest(repository, images[architecture]);
      return { ...found?.descriptor, platform: { os: 'linux', architecture } };
    }),
  );
  const unknown = { ...manifests[0], platform: { os: 'unknown', architecture: 'unknown' } };
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...manifests, unknown] }),
  );
  return (await client.pushManifest(repository, 'all', mediaTypes.index, bytes)).digest;
}

test('an image that passed is allowed to a policy that trusts the gate alone', async () => {
  await sign(named(images.amd64));
  expect((await verify(named(images.amd64))).exit).toBe(1);
  const gated = await gate(`${registry.host}/dev:amd64`);
  expect(gated).toMatchObject({ exit: 0 });
  expect(attached(gated.err)).toEqual([images.amd64]);
  expect(await verify(named(images.amd64))).toMatchObject({
    exit: 0,
    err: expect.stringContaining(`the image passed at ${verifier}`),
  });
  // The summary says what was verified, and by which policy.
  const json = JSON.parse(
    (await tcf('gate', named(images.amd64), '--policy', 'policy.yaml', '--allow-http', '--json')).out,
  );
  const policy = `urn:tcf:policy:${json.decisions[0].policy.digest}`;
  write('consumer.yaml', `vsa: { by: [gate], verifier: "${verifier}", policy: "${policy}" }`);
  expect((await verify(named(images.amd64))).exit).toBe(0);
  write('consumer.yaml', `vsa: { by: [gate], verifier: "${verifier}", policy: "${policy.slice(0, -1)}" }`);
  expect((await verify(named(images.amd64))).exit).toBe(1);
});

test('an image that did not pass has a summary that says so, and it outweighs an older one', async () => {
  await sign(named(images.amd64));
  expect((await gate(named(images.amd64))).exit).toBe(0);
  write('policy.yaml', 'signed: { by: [gate] }');
  const gated = await gate(named(images.amd64));
  expect(gated.exit).toBe(1);
  expect(attached(gated.err)).toEqual([images.amd64]);
  const denied = await verify(named(images.amd64));
  expect(denied).toMatchObject({ exit: 1, err: expect.stringContaining('the image did not pass') });
});

test('of an index each platform has its own summary, and the index passed where all of them did', async () => {
  for (const one of [images.amd64, images.arm64, index]) {
    await sign(named(one));
  }
  const gated = await gate(`${registry.host}/dev:all`, '--vsa-level', 'SLSA_BUILD_LEVEL_2');
  expect(gated.exit).toBe(0);
  expect(attached(gated.err)).toEqual([images.amd64, images.arm64, index]);
  write('consumer.yaml', `vsa: { by: [gate], verifier: "${verifier}", levels: [SLSA_BUILD_LEVEL_1] }`);
  for (const one of [images.amd64, images.arm64, index]) {
    expect((await verify(named(one))).exit).toBe(0);
  }
  expect((await verify(named(index), '--platform', 'linux/arm64')).exit).toBe(0);
  write('consumer.yaml', `vsa: { by: [gate], verifier: "${verifier}", levels: [SLSA_BUILD_LEVEL_3] }`);
  const denied = await verify(named(index));
  expect(denied).toMatchObject({ exit: 1, err: expect.stringContaining('actual: SLSA_BUILD_LEVEL_2\n') });
});

test('one platform that did not pass is a no for the index, and only its own for the others', async () => {
  for (const one of [images.amd64, index]) {
    await sign(named(one));
  }
  write('policy.yaml', 'signed: { by: [team] }', 'multiArch: platform, ');
  expect(attached((await gate(named(index))).err)).toEqual([images.amd64, images.arm64, index]);
  expect((await verify(named(images.amd64))).exit).toBe(0);
  expect((await verify(named(images.arm64))).exit).toBe(1);
  for (const platform of ['linux/amd64', 'linux/arm64']) {
    expect((await verify(named(index), '--platform', platform)).exit).toBe(1);
  }
});

/** An index of entries over the demo images; each is what an index says of it. */
async function indexOf(tag: string, entries: readonly (readonly [Digest, object])[]): Promise<Digest> {
  const client = openRegistry({ userAgent: 'tcf-test', allowHttp: true });
  const repository = { registry: registry.host, repository: 'dev' };
  const manifests = await Promise.all(
    entries.map(async ([digest, more]) => ({
      ...(await client.manifest(repository, digest))?.descriptor,
      ...more,
    })),
  );
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  return (await client.pushManifest(repository, tag, mediaTypes.index, bytes)).digest;
}

const platform = (architecture: string, more: object = {}) => ({
  platform: { os: 'linux', architecture, ...more },
});
const attestation = { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };

/** What stands in an index beside a signed image for amd64, and nobody signed: an engine may be led to it. */
const entries: readonly (readonly [string, object])[] = [
  ['without a platform', {}],
  ['for a platform that is there already', platform('amd64')],
  ['for another version of a system', platform('amd64', { 'os.version': '10.0.20348.1' })],
  ['that is called an attestation', { ...platform('arm64'), ...attestation }],
];
test.for(entries)('an entry %s is judged by its own digest', async ([, more]) => {
  const all = await indexOf('odd', [
    [images.amd64, platform('amd64')],
    [images.arm64, more],
  ]);
  for (const one of [images.amd64, all]) {
    await sign(named(one));
  }
  const gated = await gate(named(all), '--platform', 'linux/amd64');
  expect(attached(gated.err)).toEqual([images.amd64]);
  expect(attached((await gate(named(all))).err)).toEqual([images.amd64, images.arm64, all]);
  expect((await verify(named(images.amd64))).exit).toBe(0);
  expect((await verify(named(images.arm64))).exit).toBe(1);
  expect((await verify(named(all))).exit).toBe(1);
});

test.for(entries)('an entry %s that is signed itself is no hindrance', async ([, more]) => {
  const all = await indexOf('odd', [
    [images.amd64, platform('amd64')],
    [images.arm64, more],
  ]);
  for (const one of [images.amd64, images.arm64, all]) {
    await sign(named(one));
  }
  expect(attached((await gate(named(all))).err)).toEqual([images.amd64, images.arm64, all]);
  for (const one of [images.amd64, images.arm64, all]) {
    expect((await verify(named(one))).exit).toBe(0);
  }
});

test('of an index in an index each image is judged, and what is deeper cannot be told', async () => {
  const inner = await indexOf('inner', [
    [images.arm64, platform('arm64', { variant: 'v8' })],
    [images.arm64, attestation],
  ]);
  const outer = await indexOf('outer', [
    [images.amd64, platform('amd64')],
    [inner, platform('arm64')],
  ]);
  await sign(named(outer));
  await sign(named(images.arm64));
  expect(attached((await gate(named(outer))).err)).toEqual([images.amd64, images.arm64, outer]);
  expect((await verify(named(outer), '--platform', 'linux/arm64')).exit).toBe(0);
  const deep = await indexOf('deep', [
    [images.amd64, platform('amd64')],
    [outer, platform('arm64')],
  ]);
  await sign(named(deep));
  const gated = await gate(named(deep));
  expect(gated).toMatchObject({ exit: 2, err: expect.stringContaining('index in an index in an index') });
  expect(attached(gated.err)).toEqual([]);
});

test('an index that has not all of its images here cannot be told', async () => {
  const all = await indexOf('half', [
    [images.amd64, platform('amd64')],
    [images.arm64, platform('arm64')],
  ]);
  await sign(named(all));
  registry.manifests.delete(`dev@${images.arm64}`);
  const gated = await gate(named(all));
  expect(gated).toMatchObject({ exit: 2, err: expect.stringContaining(images.arm64) });
  expect(attached(gated.err)).toEqual([]);
});

test('attestation manifests of BuildKit fit no machine and are passed over', async () => {
  const unknown = { platform: { os: 'unknown', architecture: 'unknown' }, ...attestation };
  const all = await indexOf('buildkit', [
    [images.amd64, platform('amd64')],
    [images.arm64, unknown],
  ]);
  await sign(named(all));
  expect(attached((await gate(named(all))).err)).toEqual([images.amd64, all]);
  expect((await verify(named(all))).exit).toBe(0);
});

test('with a platform that one alone is attested', async () => {
  await sign(named(index));
  const gated = await gate(named(index), '--platform', 'linux/arm64');
  expect(attached(gated.err)).toEqual([images.arm64]);
  expect((await verify(named(index), '--platform', 'linux/arm64')).exit).toBe(0);
  expect((await verify(named(index), '--platform', 'linux/amd64')).exit).toBe(1);
});

test('where something cannot be told nothing is attested', async () => {
  await tcf('sign', named(images.amd64), '--allow-http', ...key('team'));
  write('policy.yaml', `sbom: { by: [team] }, baseImage: { from: sbom, repositories: ["${registry.host}"] }`);
  const gated = await gate(named(images.amd64));
  expect(gated.exit).toBe(2);
  expect(attached(gated.err)).toEqual([]);
});

test('a summary for one name does not speak for another', async () => {
  await sign(named(images.amd64));
  await gate(named(images.amd64));
  const copied = await tcf('copy', named(images.amd64), `${registry.host}/other:1`, '--allow-http');
  expect(copied.exit, copied.err).toBe(0);
  const denied = await verify(`${registry.host}/other@${images.amd64}`);
  expect(denied).toMatchObject({ exit: 1, err: expect.stringContaining('something of another name') });
});

test.for([
  ['a verifier that is not a URI', ['--attest-vsa', 'gate']],
  ['a level of two words', ['--attest-vsa', verifier, '--vsa-level', 'LEVEL 3']],
  ['a layout', ['--attest-vsa', verifier, 'oci:layout']],
] as const)('asked wrongly: %s', async ([, more]) => {
  const image = more.includes('oci:layout' as never) ? [] : [named(images.amd64)];
  const asked = await tcf(
    'gate',
    ...image,
    '--policy',
    'policy.yaml',
    '--allow-http',
    ...key('gate'),
    ...more,
  );
  expect(asked.exit).toBe(3);
});
