import { describe, expect, test } from 'vitest';
import { encodeUtf8 } from '../../src/base/bytes.ts';
import { cannotTell } from '../../src/base/error.ts';
import { type Digest, digestOf, hexOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { isContentFault } from '../../src/registry/content-fault.ts';
import type { Fetched, Repository, Store } from '../../src/registry/contract.ts';
import { type Copied, copyContent } from '../../src/registry/copy.ts';
import { planCopy } from '../../src/registry/copy-plan.ts';
import { registryTarget } from '../../src/registry/copy-target.ts';
import {
  type Fault,
  startRegistry,
  type TestRegistry,
  type TestRegistryOptions,
} from '../support/registry.ts';
import { client, refusal, repositoryOn } from './support.ts';

const emptyConfig = encodeUtf8('{}');

/**
 * Puts a manifest with one layer of its own into a registry; returns what an index or a subject says of it.
 */
async function push(
  server: TestRegistry,
  name: string,
  more: object = {},
  tag?: string,
  mediaType: string = mediaTypes.manifest,
): Promise<Descriptor> {
  const registry = client();
  const repository = repositoryOn(server);
  const own = async () => ({
    config: await registry.pushBlob(repository, mediaTypes.empty, emptyConfig),
    layers: [await registry.pushBlob(repository, mediaTypes.layer, encodeUtf8(`layer of ${name}`))],
  });
  const content = mediaType === mediaTypes.index ? {} : await own();
  const bytes = encodeUtf8(
    JSON.stringify({ schemaVersion: 2, mediaType, ...content, annotations: { name }, ...more }),
  );
  const digest = digestOf(bytes);
  server.manifests.set(`team/app@${digest}`, { mediaType, bytes });
  if (tag !== undefined) {
    server.manifests.set(`team/app:${tag}`, { mediaType, bytes });
  }
  const subject = (more as { subject?: Descriptor }).subject;
  if (subject !== undefined) {
    await registry.attach(repository, bytes, subject);
  }
  return { mediaType, digest, size: bytes.length };
}

const bundle = { artifactType: mediaTypes.sigstoreBundle };

/** An index of two platforms; index, platform and SBOM are signed, in the ways of cosign 3 and cosign 2. */
async function pushSigned(server: TestRegistry): Promise<Descriptor> {
  const platforms = [await push(server, 'amd64'), await push(server, 'arm64')];
  const index = await push(server, 'index', { manifests: platforms }, '1', mediaTypes.index);
  const [amd64] = platforms;
  await push(server, 'signature', { subject: index, ...bundle });
  const sbom = await push(server, 'sbom', { subject: amd64, artifactType: 'application/spdx+json' });
  await push(server, 'signature of the sbom', { subject: sbom, ...bundle });
  await push(server, 'sig', {}, `${tagOf(index.digest)}.sig`);
  await push(server, 'att', {}, `${tagOf(index.digest)}.att`);
  const old = await push(server, 'old sbom', {}, `${tagOf(index.digest)}.sbom`);
  await push(server, 'signature of the old sbom', {}, `${tagOf(old.digest)}.sig`);
  return index;
}

const tagOf = (digest: Digest) => `sha256-${hexOf(digest)}`;

async function copy(
  from: TestRegistry,
  to: TestRegistry,
  wanted = '1',
  target: Partial<Repository> = {},
): Promise<Copied> {
  const registry = client();
  const image = (await registry.manifest(repositoryOn(from), wanted)) as Fetched;
  const repository = { ...repositoryOn(to), ...target };
  const near = from === to ? repositoryOn(from) : undefined;
  return await copyContent(
    registry,
    repositoryOn(from),
    image,
    registryTarget(registry, repository, '1', near),
  );
}

/** Every manifest of a repository but the indexes of fallback tags, which are the registry's own matter. */
function contents({ manifests }: TestRegistry, repository = 'team/app'): readonly string[] {
  return [...manifests]
    .filter(([name]) => name.startsWith(`${repository}@`))
    .filter(([, { bytes }]) => JSON.parse(Buffer.from(bytes).toString()).annotations !== undefined)
    .map(([name]) => name.slice(repository.length + 1))
    .sort();
}

const tags = ({ manifests }: TestRegistry, repository = 'team/app') =>
  [...manifests.keys()].flatMap((name) =>
    name.startsWith(`${repository}:`) ? name.slice(repository.length + 1) : [],
  );

const modes: readonly (readonly [string, TestRegistryOptions])[] = [
  ['with the referrers API', {}],
  ['without the referrers API', { referrersApi: false }],
  ['without the API and with ETags', { referrersApi: false, etags: true }],
];

describe.for(modes)('from a registry %s', ([, source]) => {
  test.for(modes)('to one %s everything comes along, byte for byte', async ([, target]) => {
    await using from = await startRegistry(source);
    await using to = await startRegistry(target);
    const index = await pushSigned(from);
    const copied = await copy(from, to);
    expect(copied).toMatchObject({ companions: 7, manifests: 10, warnings: [] });
    expect(contents(to)).toEqual(contents(from));
    expect([...to.blobs.keys()].sort()).toEqual([...from.blobs.keys()].sort());
    expect(tags(to)).toEqual(expect.arrayContaining(['1', ...tags(from).filter((tag) => tag.includes('.'))]));
    for (const digest of contents(from)) {
      const [there, here] = await Promise.all(
        [to, from].map((server) => client().referrers(repositoryOn(server), digest as Digest)),
      );
      expect(there?.map((entry) => entry.digest).sort(), digest).toEqual(
        here?.map((entry) => entry.digest).sort(),
      );
    }
    expect(digestOf(to.manifests.get('team/app:1')?.bytes ?? emptyConfig)).toBe(index.digest);
  });
});

test('the name is written last', async () => {
  await using from = await startRegistry();
  await using to = await startRegistry({ referrersApi: false });
  await pushSigned(from);
  await copy(from, to);
  const writes = to.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
  expect(writes.at(-1)?.path).toBe('/v2/team/app/manifests/1');
  expect(writes.filter(({ path }) => path.endsWith('/manifests/1'))).toHaveLength(1);
});

test('a second copy sends no blob and loses nothing that was added at the target', async () => {
  await using from = await startRegistry();
  await using to = await startRegistry({ referrersApi: false });
  const index = await pushSigned(from);
  await copy(from, to);
  await push(to, 'their own', { subject: index, ...bundle });
  const again = await copy(from, to);
  expect(again.blobs).toMatchObject({ copied: 0, mounted: 0 });
  expect(await client().referrers(repositoryOn(to), index.digest)).toHaveLength(2);
});

test('within a registry blobs are mounted', async () => {
  await using server = await startRegistry({ ownBlobs: true });
  await pushSigned(server);
  const copied = await copy(server, server, '1', { repository: 'team/release' });
  expect(copied.blobs).toMatchObject({ copied: 0, mounted: 10 });
  expect(contents(server, 'team/release')).toEqual(contents(server));
});

test('a blob that several manifests share is asked for once', async () => {
  await using from = await startRegistry();
  await using to = await startRegistry();
  await pushSigned(from);
  await copy(from, to);
  const asked = to.requests.filter(
    ({ method, path }) => method === 'HEAD' && path.endsWith(digestOf(emptyConfig)),
  );
  expect(asked).toHaveLength(1);
});

test('without a name an image is there by its digest', async () => {
  await using from = await startRegistry();
  await using to = await startRegistry();
  const index = await pushSigned(from);
  const registry = client();
  const image = (await registry.manifest(repositoryOn(from), index.digest)) as Fetched;
  const target = registryTarget(registry, repositoryOn(to), undefined);
  await copyContent(registry, repositoryOn(from), image, target);
  expect(contents(to)).toEqual(contents(from));
  expect(tags(to)).not.toContain('1');
});

test('what is listed twice is copied once', async () => {
  await using from = await startRegistry({ referrersApi: false });
  await using to = await startRegistry();
  const platform = await push(from, 'amd64');
  const index = await push(from, 'index', { manifests: [platform, platform] }, '1', mediaTypes.index);
  const signature = await push(from, 'signature', { subject: index, ...bundle });
  await push(from, 'sig', {}, `${tagOf(platform.digest)}.sig`);
  const twice = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [signature, signature] };
  const list = { mediaType: mediaTypes.index, bytes: encodeUtf8(JSON.stringify(twice)) };
  from.manifests.set(`team/app:${tagOf(index.digest)}`, list);
  expect(await copy(from, to)).toMatchObject({ companions: 2, warnings: [] });
});

test('a target that loses the blobs of a companion ends the copy', async () => {
  await using from = await startRegistry();
  await using to = await startRegistry();
  const index = await push(from, 'index', {}, '1');
  await push(from, 'signature', { subject: index, ...bundle });
  const layer = digestOf(encodeUtf8('layer of signature')).replace(':', '%3A');
  to.fault(new RegExp(`PUT .*digest=${layer}`), { status: 404 });
  expect(await refusal(copy(from, to))).toMatch(/^registry\.missing/);
  expect(tags(to)).toEqual([]);
});

test('layers that may not be distributed are not asked for', async () => {
  await using from = await startRegistry();
  await using to = await startRegistry();
  const foreign = {
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    digest: digestOf(encodeUtf8('windows')),
    size: 7,
  };
  await push(from, 'windows', { layers: [foreign] }, '1');
  await copy(from, to);
  expect(contents(to)).toEqual(contents(from));
});

test.for<readonly [string, RegExp, Fault]>([
  ['nobody may push', /POST/, { status: 403 }],
  ['the registry is read-only', /^(POST|PUT)/, { status: 405 }],
  ['the registry is down', /PUT .*manifests/, { status: 500 }],
  ['the line breaks before the end', /PUT .*manifests\/sha256-.*\.sig/, { truncate: 0 }],
  ['the tag may not be written', /PUT .*manifests\/1/, { status: 403 }],
])('%s: the image has no name at the target', async ([, match, fault]) => {
  await using from = await startRegistry();
  await using to = await startRegistry();
  await pushSigned(from);
  to.fault(match, fault);
  expect(await refusal(copy(from, to))).toMatch(/^registry\./);
  expect(tags(to)).not.toContain('1');
});

test.for<readonly [string, RegExp, Fault, RegExp]>([
  ['a damaged layer', /GET .*blobs/, { damage: true, times: 1 }, /^content\.digest/],
  ['a layer that is gone', /GET .*blobs/, { status: 404, times: 1 }, /^registry\.missing/],
  ['a platform that is gone', /GET .*manifests\/sha256:/, { status: 404, times: 1 }, /^registry\.missing/],
  ['referrers that cannot be listed', /referrers/, { status: 500 }, /^registry\.unreachable/],
  ['a tag of cosign 2 that cannot be asked for', /\.sig/, { status: 403 }, /^registry\.unauthorized/],
])('%s at the source ends the copy, and no name is written', async ([, match, fault, expected]) => {
  await using from = await startRegistry();
  await using to = await startRegistry();
  await pushSigned(from);
  from.fault(match, fault);
  expect(await refusal(copy(from, to))).toMatch(expected);
  expect(tags(to)).toEqual([]);
});

describe('rubbish that a stranger attached is left out with a warning:', () => {
  const rubbish = `sha256:${'0'.repeat(64)}`;
  const layer = { mediaType: mediaTypes.layer, digest: rubbish, size: 5 };
  test.for<readonly [string, (server: TestRegistry, index: Descriptor) => Promise<unknown>, RegExp]>([
    [
      'a blob that is not there',
      (server, subject) => push(server, 'rubbish', { subject, layers: [layer] }),
      /is left out: .*answered 404/,
    ],
    [
      'a blob of another size',
      async (server, subject) => {
        const bytes = encodeUtf8('a stone');
        server.blobs.set(digestOf(bytes), bytes);
        await push(server, 'rubbish', { subject, layers: [{ ...layer, digest: digestOf(bytes) }] });
      },
      /is left out: .*more than the 5 bytes/,
    ],
    [
      'the blob of a good one with another size',
      (server, subject) =>
        push(server, 'rubbish', {
          subject,
          layers: [{ ...layer, digest: digestOf(encodeUtf8('layer of good')) }],
        }),
      /is left out: .*more than the 5 bytes/,
    ],
    [
      'an index of manifests that are not there',
      (server, subject) =>
        push(server, 'rubbish', { subject, manifests: [layer] }, undefined, mediaTypes.index),
      /cannot be read and is left out/,
    ],
    [
      'a tag of cosign 2 without its blob',
      (server, { digest }) => push(server, 'rubbish', { layers: [layer] }, `${tagOf(digest)}.att`),
      /tag sha256-.*att is left out/,
    ],
  ])('%s', async ([, attach, warning]) => {
    await using from = await startRegistry();
    await using to = await startRegistry();
    const index = await push(from, 'index', {}, '1');
    await push(from, 'good', { subject: index, ...bundle });
    await attach(from, index);
    const { companions, warnings } = await copy(from, to);
    expect(warnings.join('\n')).toMatch(warning);
    expect(companions).toBe(1);
    expect(await client().referrers(repositoryOn(to), index.digest)).toHaveLength(1);
  });

  test.for<readonly [string, (index: Descriptor) => object, RegExp]>([
    [
      'an entry that is not there',
      () => ({ ...layer, mediaType: mediaTypes.manifest }),
      /listed but not there/,
    ],
    ['an entry about something else', (index) => index, /is about something else/],
    [
      'an entry of a terabyte',
      () => ({ ...layer, mediaType: mediaTypes.manifest, size: 2 ** 40 }),
      /is said to have/,
    ],
  ])('in a fallback tag, %s', async ([, entry, warning]) => {
    await using from = await startRegistry({ referrersApi: false });
    await using to = await startRegistry();
    const index = await push(from, 'index', {}, '1');
    const bytes = encodeUtf8(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry(index)] }),
    );
    from.manifests.set(`team/app:${tagOf(index.digest)}`, { mediaType: mediaTypes.index, bytes });
    expect((await copy(from, to)).warnings.join()).toMatch(warning);
  });
});

describe('a tag of cosign 2 at the target', () => {
  const signature = (text: string) => ({
    mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    digest: digestOf(emptyConfig),
    size: 2,
    annotations: { 'dev.cosignproject.cosign/signature': text },
  });
  async function both(here: readonly string[], there: readonly string[]) {
    const from = await startRegistry();
    const to = await startRegistry();
    const image = await push(from, 'image', {}, '1');
    const tag = `${tagOf(image.digest)}.sig`;
    await push(from, 'sig', { layers: here.map(signature) }, tag);
    await push(to, 'sig', { layers: there.map(signature) }, tag);
    const result = await refusal(copy(from, to));
    const kept = JSON.parse(Buffer.from(to.manifests.get(`team/app:${tag}`)?.bytes ?? '').toString());
    await from.close();
    await to.close();
    return { result, kept: kept.layers.length, tagged: tags(to).includes('1') };
  }

  test('that has fewer signatures is replaced', async () => {
    expect(await both(['a', 'b'], ['a'])).toMatchObject({ kept: 2, tagged: true });
  });
  test('that has more signatures stays', async () => {
    expect(await both(['a'], ['b', 'a'])).toMatchObject({ kept: 2, tagged: true });
  });
  test('that has other signatures ends the copy before anything is written', async () => {
    expect(await both(['a'], ['b'])).toMatchObject({
      result: expect.stringMatching(/^copy\.conflict: .*other signatures/),
      kept: 1,
      tagged: false,
    });
  });
});

test('referrers in a circle of generations end with a warning', async () => {
  await using from = await startRegistry();
  await using to = await startRegistry();
  let subject = await push(from, 'image', {}, '1');
  for (let generation = 0; generation < 6; generation += 1) {
    subject = await push(from, `about ${generation}`, { subject });
  }
  const { companions, warnings } = await copy(from, to);
  expect(companions).toBe(4);
  expect(warnings.join()).toMatch(/left out after 4 generations/);
});

describe('A-87: what is kept in memory has a limit:', () => {
  const at = { registry: 'registry.example', repository: 'team/app' };
  const page = new Uint8Array(30 * 1024 * 1024);
  const digests = (count: number) => Array.from({ length: count }, (_, n) => digestOf(encodeUtf8(`${n}`)));
  const leaf = (digest: Digest, bytes: Uint8Array = page): Fetched => ({
    bytes,
    descriptor: { mediaType: mediaTypes.manifest, digest, size: 3 },
    document: {
      kind: 'manifest',
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.empty, digest, size: 2 },
      layers: [],
      annotations: {},
    },
  });
  const indexOf = (...children: readonly Fetched[]): Fetched => ({
    bytes: encodeUtf8('{}'),
    descriptor: { mediaType: mediaTypes.index, digest: digestOf(encodeUtf8('index')), size: 2 },
    document: {
      kind: 'index',
      mediaType: mediaTypes.index,
      manifests: children.map(({ descriptor }) => descriptor),
      annotations: {},
    },
  });
  const storeOf = (find: (reference: string) => Fetched | undefined): Store => ({
    manifest: async (_, reference) => find(reference),
    referrers: async () => [],
    blob: () => {
      throw new Error('no blob is asked for');
    },
  });

  test('the platforms of an index', async () => {
    const index = indexOf(...digests(9).map((digest) => leaf(digest)));
    const store = storeOf((reference) => (reference.includes('-') ? undefined : leaf(reference as Digest)));
    expect(await refusal(planCopy(store, at, index))).toMatch(/^registry\.limit: .*268435456 bytes together/);
  });

  test('the tags of cosign 2', async () => {
    const small = (digest: Digest) => leaf(digest, encodeUtf8('{}'));
    const index = indexOf(...digests(3).map(small));
    const other = leaf(digestOf(encodeUtf8('signatures')));
    const store = storeOf((reference) => (reference.includes('-') ? other : small(reference as Digest)));
    expect(await refusal(planCopy(store, at, index))).toMatch(/^registry\.limit: .*268435456 bytes together/);
  });

  test('an index in an index in an index in an index', async () => {
    const [one, two, three] = digests(3);
    const nested = (digest: Digest | undefined, child: Fetched): Fetched => ({
      ...indexOf(child),
      descriptor: { mediaType: mediaTypes.index, digest: digest as Digest, size: 2 },
    });
    const image = leaf(digestOf(encodeUtf8('image')), encodeUtf8('{}'));
    const deep = [nested(one, image)];
    deep.push(nested(two, deep[0] as Fetched));
    deep.push(nested(three, deep[1] as Fetched));
    const store = storeOf((reference) =>
      [image, ...deep].find(({ descriptor }) => descriptor.digest === reference),
    );
    expect((await planCopy(store, at, deep[2] as Fetched)).image.manifests).toHaveLength(4);
    expect(await refusal(planCopy(store, at, indexOf(deep[2] as Fetched)))).toMatch(/^manifest\.nesting/);
  });
});

test.for([
  ['content.size', true],
  ['bytes.too-large', true],
  ['registry.missing', true],
  ['json.malformed', true],
  ['manifest.size', true],
  ['document.malformed', true],
  ['digest.malformed', true],
  ['content.digest', false],
  ['registry.unreachable', false],
  ['registry.unauthorized', false],
  ['registry.limit', false],
  ['layout.manifest.lost', false],
] as const)('whether an author of content can have caused %s: %s', ([code, expected]) => {
  expect(isContentFault(cannotTell(code, 'it'))).toBe(expected);
  expect(isContentFault(new Error(code))).toBe(false);
});
