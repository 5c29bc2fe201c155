import { expect, test } from 'vitest';
import type { Cosign2Layer } from '../../src/attest/cosign2.ts';
import { TcfError } from '../../src/base/error.ts';
import { hexOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { discoverBundles } from '../../src/sigstore/discover.ts';
import { discoverCosign2 } from '../../src/sigstore/discover-cosign2.ts';
import { discoverLimits } from '../../src/sigstore/found-bundle.ts';
import { attLayer, sigLayer, simpleSigning } from '../support/cosign2.ts';
import { testKey } from '../support/key-bundle.ts';
import { openShelf, type Shelf } from '../support/signing.ts';

const keys = [testKey(), testKey()];

interface Odd {
  readonly size?: number;
}

/** Pushes an image of these layers, as cosign 2 does. */
async function push(
  { image, registry, repository }: Shelf,
  kind: string,
  layers: readonly (Cosign2Layer & Odd)[],
  changes: object = {},
  configType: string = mediaTypes.config,
): Promise<void> {
  const descriptors = [];
  for (const { annotations, content, mediaType, size } of layers) {
    const pushed = await registry.pushBlob(repository, mediaType, content);
    descriptors.push({ ...pushed, size: size ?? pushed.size, annotations });
  }
  const config = await registry.pushBlob(repository, configType, Buffer.from('{}'));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: descriptors,
    ...changes,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  if (kind === 'referrer') {
    await registry.attach(repository, bytes, image);
  } else {
    await registry.pushManifest(
      repository,
      `sha256-${hexOf(image.digest)}.${kind}`,
      mediaTypes.manifest,
      bytes,
    );
  }
}

const find = ({ image, registry, repository }: Shelf) =>
  discoverCosign2(registry, repository, ['sig', 'att'], image.digest, image.digest);
const signatures = ({ image }: Shelf) =>
  keys.map(({ privateKey }) => sigLayer({ payload: simpleSigning(image.digest), key: privateKey }));

test('an image without tags of cosign 2 has no bundles', async () => {
  await using shelf = await openShelf();
  expect(await find(shelf)).toEqual([]);
});

test('every layer of both tags is found; the same payload signed twice is fetched once', async () => {
  await using shelf = await openShelf();
  await push(shelf, 'sig', signatures(shelf));
  await push(shelf, 'att', [
    attLayer({ payload: shelf.statement, key: keys[0]?.privateKey ?? testKey().privateKey }),
  ]);
  const before = shelf.server.requests.length;
  const found = await find(shelf);
  expect(found.map((entry) => entry.ok && 'layer' in entry && entry.layer.mediaType)).toEqual([
    'application/vnd.dev.cosign.simplesigning.v1+json',
    'application/vnd.dev.cosign.simplesigning.v1+json',
    'application/vnd.dsse.envelope.v1+json',
  ]);
  expect(shelf.server.requests.length - before).toBe(4);
});

const sigType = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const attType = 'application/vnd.dev.cosign.artifact.att.v1+json';
// cosign 2.0 to 2.4 name the type in the configuration only (sigstore/cosign#4995), and so do libraries that
// write attestations with it.
test.for([
  ['with an artifact type', sigType, mediaTypes.config, 'sig'],
  ['with the type of the configuration only', undefined, sigType, 'sig'],
  ['of an attestation with the type of the configuration only', undefined, attType, 'att'],
  ['with no type but that of the layer', undefined, mediaTypes.config, 'sig'],
  ['of an attestation with no type but that of the layer', undefined, mediaTypes.empty, 'att'],
] as const)('a referrer %s is found among the bundles', async ([, artifactType, configType, kind]) => {
  await using shelf = await openShelf({ referrersApi: true });
  const key = keys[0]?.privateKey ?? testKey().privateKey;
  const layers = kind === 'sig' ? signatures(shelf) : [attLayer({ payload: shelf.statement, key })];
  const changes = { subject: shelf.image, ...(artifactType === undefined ? {} : { artifactType }) };
  await push(shelf, 'referrer', layers, changes, configType);
  const found = await discoverBundles(shelf.registry, shelf.repository, shelf.image.digest);
  expect(found).toMatchObject(layers.map(() => ({ ok: true, layer: {} })));
});

test('a tag with more than 4 MiB of signatures is read; one above the limit is refused and counted', async () => {
  await using shelf = await openShelf();
  const [good] = signatures(shelf);
  if (good === undefined) {
    throw new Error('the test has lost its layer');
  }
  const certificate = { 'dev.sigstore.cosign/certificate': 'x'.repeat(8000) };
  const many = Array.from({ length: 1100 }, (_, at) => ({
    ...good,
    annotations: { ...good.annotations, ...certificate, at: `${at}` },
  }));
  await push(shelf, 'sig', many);
  expect(await find(shelf)).toHaveLength(1100);
  const tag = `sha256-${hexOf(shelf.image.digest)}.sig`;
  shelf.server.manifests.set(`triton/dev:${tag}`, {
    mediaType: mediaTypes.manifest,
    bytes: Buffer.alloc(33 * 1024 * 1024, ' '),
  });
  expect(await find(shelf)).toMatchObject([{ ok: false, code: 'bytes.too-large' }]);
});

test('layers of other kinds are left out, and what cannot be read never hides what can', async () => {
  await using shelf = await openShelf();
  const [good, other] = signatures(shelf);
  if (good === undefined || other === undefined) {
    throw new Error('the test has lost its layers');
  }
  const content = Buffer.from('{"another": "payload"}');
  await push(shelf, 'sig', [
    { ...other, mediaType: 'text/plain' },
    { ...other, content, size: discoverLimits.bundleBytes + 1 },
    good,
  ]);
  expect(await find(shelf)).toMatchObject([{ ok: false, code: 'bundle.too-large' }, { ok: true }]);
});

test.for([
  ['an index', mediaTypes.index, '{"schemaVersion":2,"manifests":[]}', 'bundle.layers'],
  ['no JSON', mediaTypes.manifest, 'junk', 'json.malformed'],
] as const)('a tag that holds %s is refused and counted', async ([, mediaType, text, code]) => {
  await using shelf = await openShelf();
  const tag = `sha256-${hexOf(shelf.image.digest)}.sig`;
  shelf.server.manifests.set(`triton/dev:${tag}`, { mediaType, bytes: Buffer.from(text) });
  expect(await find(shelf)).toMatchObject([{ ok: false, code }]);
});

test('a registry that cannot answer is not one without signatures', async () => {
  await using shelf = await openShelf();
  shelf.server.fault(/GET .*\.att$/, { status: 500 });
  await expect(find(shelf)).rejects.toThrow(TcfError);
});
