import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { collect, encodeUtf8 } from '../../src/base/bytes.ts';
import { openFromRegistry } from '../../src/image/from-registry.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { parseImageRef } from '../../src/oci/reference.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { client, refusal, store } from './support.ts';

const linux = (architecture: string, variant?: string) => ({
  os: 'linux',
  architecture,
  ...(variant ? { variant } : {}),
});
const amd64 = linux('amd64');

interface Wishes {
  readonly platform?: object;
  readonly diffIds?: readonly string[];
  readonly configType?: string;
  readonly layerType?: string;
  readonly tag?: string;
}

/** An image of one layer that holds `content`. */
function put(
  server: TestRegistry,
  content: string,
  wishes: Wishes = {},
): { readonly digest: Digest; readonly size: number } {
  const { tag = 'latest', platform = amd64, diffIds = [digestOf(encodeUtf8(content))] } = wishes;
  const blob = (bytes: Uint8Array, mediaType: string) => {
    server.blobs.set(digestOf(bytes), bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const history = [{ created_by: 'ENV a=b', empty_layer: true }, { created_by: 'COPY . .' }];
  const config = { ...platform, rootfs: { type: 'layers', diff_ids: diffIds }, history, config: {} };
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: blob(json(config), wishes.configType ?? mediaTypes.config),
    layers: [blob(gzipSync(content), wishes.layerType ?? mediaTypes.layerGzip)],
  });
  return { digest: store(server, manifest, tag), size: manifest.length };
}

function putIndex(
  server: TestRegistry,
  entries: readonly object[],
  tag = 'latest',
): { readonly digest: Digest; readonly size: number } {
  const manifests = entries.map((entry) => ({ mediaType: mediaTypes.manifest, ...entry }));
  const index = json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests });
  return { digest: store(server, index, tag, mediaTypes.index), size: index.length };
}

function json(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

function open(
  server: TestRegistry,
  name = ':latest',
  platform: { os: string; architecture: string } = amd64,
) {
  return openFromRegistry(client(), parseImageRef(`${server.host}/team/app${name}`), platform);
}

async function firstLayer(image: Awaited<ReturnType<typeof open>>): Promise<string> {
  const [layer] = image.layers;
  if (layer === undefined) {
    throw new Error('no layer');
  }
  return Buffer.from(await collect(layer.open(), 1_000_000, 'layer')).toString();
}

test('an image opens with its layers, and they can be read twice', async () => {
  await using server = await startRegistry();
  const { digest } = put(server, 'content');
  const image = await open(server);
  expect(image.manifestDigest).toBe(digest);
  expect(image.indexDigest).toBeUndefined();
  expect(image.layers.map(({ index, createdBy }) => [index, createdBy])).toEqual([[0, 'COPY . .']]);
  expect([await firstLayer(image), await firstLayer(image)]).toEqual(['content', 'content']);
  expect(image.warnings).toEqual([]);
});

test('A-1: the tag is asked for once; what moves afterwards is not seen', async () => {
  await using server = await startRegistry();
  put(server, 'before');
  const image = await open(server);
  put(server, 'after');
  expect(await firstLayer(image)).toBe('before');
  expect(server.requests.filter(({ path }) => path.endsWith('/latest'))).toHaveLength(1);
});

test('the platform is chosen, attestations and foreign platforms are passed over', async () => {
  await using server = await startRegistry();
  const arm = put(server, 'arm', { platform: linux('arm64') });
  const intel = put(server, 'intel');
  const index = putIndex(server, [
    {
      ...arm,
      platform: linux('unknown'),
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    },
    { ...arm, platform: linux('arm64', 'v8') },
    { ...intel, platform: amd64 },
  ]);
  const image = await open(server, ':latest', linux('arm64'));
  expect(image.manifestDigest).toBe(arm.digest);
  expect(image.indexDigest).toBe(index.digest);
  expect(await firstLayer(image)).toBe('arm');
});

test.for([
  ['v6 where v6 is wanted', linux('arm', 'v6'), 'v6'],
  ['the usual variant where none is wanted', linux('arm'), 'v7'],
] as const)('of several variants: %s', async ([, wanted, expected]) => {
  await using server = await startRegistry();
  const entries = ['v6', 'v7'].map((variant) => ({
    ...put(server, variant, { platform: linux('arm', variant) }),
    platform: linux('arm', variant),
  }));
  putIndex(server, entries);
  expect(await firstLayer(await open(server, ':latest', wanted))).toBe(expected);
});

test('A-2: beside a digest the tag changes nothing, and that it moved is said', async () => {
  await using server = await startRegistry();
  const { digest } = put(server, 'signed');
  put(server, 'moved');
  const image = await open(server, `:latest@${digest}`);
  expect(await firstLayer(image)).toBe('signed');
  expect(image.warnings).toEqual([expect.stringContaining('leads to sha256:')]);
  const gone = await open(server, `:gone@${digest}`);
  expect(gone.warnings).toEqual([expect.stringContaining('"gone" is gone')]);
  put(server, 'signed');
  expect((await open(server, `:latest@${digest}`)).warnings).toEqual([]);
});

test('an image for another platform opens with a warning', async () => {
  await using server = await startRegistry();
  put(server, 'arm', { platform: linux('arm64') });
  expect((await open(server)).warnings).toEqual([
    expect.stringContaining('linux/arm64, not for linux/amd64'),
  ]);
});

test('a platform that is not there: the error names those that are', async () => {
  await using server = await startRegistry();
  const entry = put(server, 'arm');
  putIndex(server, [
    { ...entry, platform: linux('arm64') },
    { ...entry, platform: linux('s390x') },
  ]);
  await expect(open(server)).rejects.toMatchObject({
    code: 'image.platform',
    hint: 'choose one with --platform: linux/arm64, linux/s390x',
  });
});

test.for<readonly [string, (server: TestRegistry) => void, RegExp]>([
  ['nothing', () => undefined, /^image\.missing/],
  ['an artifact', (server) => put(server, 'x', { configType: mediaTypes.empty }), /^image\.config/],
  [
    'a diffID too many',
    (server) => put(server, 'x', { diffIds: [digestOf(json(1)), digestOf(json(2))] }),
    /^image\.layers/,
  ],
  ['no diffIDs', (server) => put(server, 'x', { diffIds: [] }), /^image\.layers/],
  [
    'an index that lies about a size',
    (server) => putIndex(server, [{ ...put(server, 'x'), size: 1, platform: amd64 }]),
    /^image\.descriptor/,
  ],
  [
    'an index of something that is gone',
    (server) => putIndex(server, [{ digest: digestOf(json('gone')), size: 6, platform: amd64 }]),
    /^image\.missing/,
  ],
  [
    'A-10: an index of 1001 images',
    (server) =>
      putIndex(
        server,
        Array.from({ length: 1001 }, () => ({ ...put(server, 'x'), platform: amd64 })),
      ),
    /limit of 1000/,
  ],
  [
    'an index in an index in an index',
    (server) => {
      let entry: object = { ...put(server, 'x'), platform: amd64 };
      for (let level = 0; level < 3; level += 1) {
        entry = { ...putIndex(server, [entry]), mediaType: mediaTypes.index, platform: amd64 };
      }
    },
    /^image\.nesting/,
  ],
])('a name that leads to %s opens nothing', async ([, prepare, expected]) => {
  await using server = await startRegistry();
  prepare(server);
  expect(await refusal(open(server))).toMatch(expected);
});

test('one index in an index is opened', async () => {
  await using server = await startRegistry();
  const inner = putIndex(server, [{ ...put(server, 'deep'), platform: amd64 }]);
  putIndex(server, [{ ...inner, mediaType: mediaTypes.index, platform: amd64 }]);
  expect(await firstLayer(await open(server))).toBe('deep');
});

test('a layer whose content is not its diffID is not believed', async () => {
  await using server = await startRegistry();
  put(server, 'other', { diffIds: [digestOf(encodeUtf8('expected'))] });
  expect(await refusal(firstLayer(await open(server)))).toMatch(/^content\.digest/);
});

test('A-100: the urls of a foreign layer are not asked', async () => {
  await using server = await startRegistry();
  await using elsewhere = await startRegistry();
  put(server, 'x');
  const stored = server.manifests.get('team/app:latest');
  const manifest = JSON.parse(Buffer.from(stored?.bytes ?? '').toString());
  manifest.layers[0].urls = [`${elsewhere.url}/layer`];
  server.blobs.delete(manifest.layers[0].digest);
  store(server, json(manifest));
  expect(await refusal(firstLayer(await open(server)))).toMatch(/^registry\.missing/);
  expect(elsewhere.requests).toEqual([]);
});
