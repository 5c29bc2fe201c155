import { expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import type { Registry } from '../../src/registry/contract.ts';
import { withMirrors } from '../../src/registry/mirrors.ts';
import { parseRegistriesConf } from '../../src/registry/registries-conf.ts';
import { noRegistriesConfig } from '../../src/registry/registries-config.ts';
import { type Fault, startRegistry, type TestRegistry } from '../support/registry.ts';
import { client, descriptorOf, manifestNamed, readBlob, refusal, repositoryOn, store } from './support.ts';

const image = manifestNamed('image');
const subject = descriptorOf(image);
const blob = encodeUtf8('a layer');
const signature = (name: string) => manifestNamed(name, { subject });

/** The registry `primary`, with `mirror` in front of it. */
function through(mirror: TestRegistry, primary: TestRegistry, registry = client()): Registry {
  const text = `[[registry]]\nlocation = "${primary.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`;
  return withMirrors(registry, parseRegistriesConf(encodeUtf8(text), 'registries.conf'));
}

test('content comes from the mirror, by the name of the registry', async () => {
  await using mirror = await startRegistry();
  await using primary = await startRegistry();
  store(mirror, image);
  store(mirror, signature('one'), 'one');
  mirror.blobs.set(descriptorOf(blob).digest, blob);
  const registry = through(mirror, primary);
  expect((await registry.manifest(repositoryOn(primary), 'latest'))?.descriptor).toEqual(subject);
  expect(await readBlob(registry, repositoryOn(primary), descriptorOf(blob))).toEqual(blob);
  expect(await registry.referrers(repositoryOn(primary), subject.digest)).toHaveLength(1);
  expect(primary.requests).toEqual([]);
});

test.for<readonly [string, Fault]>([
  ['is down', { status: 503 }],
  ['wants a login', { status: 401 }],
  ['has nothing', { status: 404 }],
  ['breaks the line', { truncate: 0 }],
  ['sends something else', { body: '<html>' }],
  ['sends damaged content', { damage: true }],
])('a mirror that %s is passed over', async ([, fault]) => {
  await using mirror = await startRegistry();
  await using primary = await startRegistry();
  for (const server of [mirror, primary]) {
    store(server, image);
    server.blobs.set(descriptorOf(blob).digest, blob);
  }
  store(primary, signature('one'), 'one');
  mirror.fault(/./, fault);
  const registry = through(mirror, primary);
  expect((await registry.manifest(repositoryOn(primary), subject.digest))?.descriptor).toEqual(subject);
  expect(await registry.referrers(repositoryOn(primary), subject.digest)).toHaveLength(1);
  if (fault.body === undefined && fault.damage === undefined) {
    expect(await readBlob(registry, repositoryOn(primary), descriptorOf(blob))).toEqual(blob);
  }
});

test('a mirror without signatures does not decide that there are none', async () => {
  await using mirror = await startRegistry();
  await using primary = await startRegistry();
  store(mirror, image);
  store(primary, signature('one'), 'one');
  const registry = through(mirror, primary);
  expect(await registry.referrers(repositoryOn(primary), subject.digest)).toHaveLength(1);
  primary.fault(/./, { status: 503 });
  expect(await refusal(registry.referrers(repositoryOn(primary), subject.digest))).toMatch(
    /^registry\.unreachable/,
  );
});

test('what is damaged on its way does not go on from another place', async () => {
  await using mirror = await startRegistry();
  await using primary = await startRegistry();
  for (const server of [mirror, primary]) {
    server.blobs.set(descriptorOf(blob).digest, blob);
  }
  mirror.fault(/blobs/, { damage: true });
  const registry = through(mirror, primary);
  expect(await refusal(readBlob(registry, repositoryOn(primary), descriptorOf(blob)))).toMatch(
    /^content\.digest/,
  );
});

test('nothing is written to a mirror', async () => {
  await using mirror = await startRegistry();
  await using primary = await startRegistry();
  const registry = through(mirror, primary);
  await registry.pushBlob(repositoryOn(primary), 'text/plain', blob);
  await registry.attach(repositoryOn(primary), signature('one'), subject);
  expect(mirror.requests).toEqual([]);
});

test('without a table for registries nothing stands in front of them', () => {
  const registry = client();
  expect(withMirrors(registry, noRegistriesConfig)).toBe(registry);
});

test('a fault of ours at a mirror is not passed over', async () => {
  await using mirror = await startRegistry();
  await using primary = await startRegistry();
  const fault = new TypeError('a fault of ours');
  const failing: Registry = {
    ...client(),
    manifest: async () => {
      throw fault;
    },
    // biome-ignore lint/correctness/useYield: it fails before its first byte
    blob: async function* () {
      throw fault;
    },
  };
  const registry = through(mirror, primary, failing);
  await expect(registry.manifest(repositoryOn(primary), 'latest')).rejects.toBe(fault);
  await expect(readBlob(registry, repositoryOn(primary), descriptorOf(blob))).rejects.toBe(fault);
});

test('a mirror for tags only is asked for what its tag led to, and for nothing else', async () => {
  await using mirror = await startRegistry();
  await using primary = await startRegistry();
  store(mirror, image);
  store(mirror, signature('one'), 'one');
  mirror.blobs.set(descriptorOf(blob).digest, blob);
  const conf = `[[registry]]\nlocation = "${primary.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\npull-from-mirror = "tag-only"\n`;
  const open = () => withMirrors(client(), parseRegistriesConf(encodeUtf8(conf), 'registries.conf'));
  const at = repositoryOn(primary);
  expect(await open().manifest(at, subject.digest)).toBeUndefined();
  expect(mirror.requests).toEqual([]);
  const registry = open();
  expect((await registry.manifest(at, 'latest'))?.descriptor).toEqual(subject);
  expect((await registry.manifest(at, subject.digest))?.descriptor).toEqual(subject);
  expect(await registry.referrers(at, subject.digest)).toHaveLength(1);
  expect(await readBlob(registry, at, descriptorOf(blob))).toEqual(blob);
  expect(await registry.manifest({ ...at, repository: 'team/other' }, subject.digest)).toBeUndefined();
});
