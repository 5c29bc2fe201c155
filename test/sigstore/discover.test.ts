import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { predicateTypes } from '../../src/attest/statement.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { attachBundle } from '../../src/sigstore/attach.ts';
import { discoverBundles } from '../../src/sigstore/discover.ts';
import { discoverLimits } from '../../src/sigstore/found-bundle.ts';
import { signStatement } from '../../src/sigstore/sign.ts';
import { keySigner } from '../../src/sigstore/signer.ts';
import { openShelf, type Shelf } from '../support/signing.ts';

const now = new Date('2026-11-23T12:00:00Z');
const signer = keySigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);

async function attachGood({ registry, repository, image, statement }: Shelf): Promise<Digest> {
  const bundle = await signStatement(statement, signer, []);
  return (
    await attachBundle(registry, repository, image, { bundle, predicateType: predicateTypes.signature, now })
  ).digest;
}

interface Layer {
  readonly mediaType?: string;
  readonly size?: number;
  readonly bytes?: string;
}

/** Attaches a referrer with these layers and these changes to its manifest. */
async function attachOdd(shelf: Shelf, layers: readonly Layer[], changes: object = {}): Promise<Digest> {
  const { registry, repository, image } = shelf;
  const config = await registry.pushBlob(repository, mediaTypes.empty, Buffer.from('{}'));
  const descriptors = [];
  for (const { mediaType = mediaTypes.sigstoreBundle, size, bytes = 'junk' } of layers) {
    const pushed = await registry.pushBlob(repository, mediaType, Buffer.from(bytes));
    descriptors.push({ ...pushed, size: size ?? pushed.size });
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers: descriptors,
    subject: image,
    artifactType: mediaTypes.sigstoreBundle,
    ...changes,
  };
  return (await registry.attach(repository, Buffer.from(JSON.stringify(manifest)), image)).digest;
}

/** Puts bytes under their digest, as a registry does that does not look at what it stores. */
function plant({ server, image }: Shelf, text: string): Digest {
  const bytes = Buffer.from(text.replace('SUBJECT', image.digest));
  server.manifests.set(`triton/dev@${digestOf(bytes)}`, { mediaType: mediaTypes.manifest, bytes });
  return digestOf(bytes);
}

const find = ({ registry, repository, image }: Shelf) => discoverBundles(registry, repository, image.digest);

test('an image without referrers has no bundles', async () => {
  await using shelf = await openShelf();
  expect(await find(shelf)).toEqual([]);
});

type Junk = readonly [name: string, code: string, attach: (shelf: Shelf) => Promise<Digest> | Digest];

const junk: readonly Junk[] = [
  ['a bundle type without a layer', 'bundle.layers', (shelf) => attachOdd(shelf, [])],
  ['two layers', 'bundle.layers', (shelf) => attachOdd(shelf, [{}, { bytes: 'more' }])],
  ['a layer of another type', 'bundle.layers', (shelf) => attachOdd(shelf, [{ mediaType: 'text/plain' }])],
  [
    'a bundle that is said to be enormous',
    'bundle.too-large',
    (shelf) => attachOdd(shelf, [{ size: discoverLimits.bundleBytes + 1 }]),
  ],
  ['a bundle longer than said', 'content.size', (shelf) => attachOdd(shelf, [{ size: 1 }])],
  ['a bundle shorter than said', 'content.size', (shelf) => attachOdd(shelf, [{ size: 100 }])],
  [
    'a manifest with a key that stands twice',
    'json.malformed',
    (shelf) => plant(shelf, '{"schemaVersion":2,"schemaVersion":2,"subject":{"digest":"SUBJECT"}}'),
  ],
  [
    'a manifest that is also an index',
    'manifest.ambiguous',
    (shelf) => plant(shelf, '{"schemaVersion":2,"layers":[],"manifests":[],"subject":{"digest":"SUBJECT"}}'),
  ],
  [
    'a manifest without layers',
    'document.malformed',
    (shelf) => plant(shelf, '{"schemaVersion":2,"subject":{"digest":"SUBJECT"}}'),
  ],
];

test.for(junk)('%s is reported and hides no good bundle (A-93, A-94)', async ([, code, attach]) => {
  await using shelf = await openShelf();
  const bad = await attach(shelf);
  const good = await attachGood(shelf);
  const found = await find(shelf);
  expect(found).toHaveLength(2);
  expect(found).toContainEqual({ ok: false, source: bad, code, reason: expect.any(String) });
  expect(found).toContainEqual({ ok: true, source: good, bundle: expect.any(Uint8Array) });
});

test('what is listed in the fallback tag and is not there is reported', async () => {
  await using shelf = await openShelf({ referrersApi: false });
  const gone = await attachGood(shelf);
  const good = await attachGood(shelf);
  shelf.server.manifests.delete(`triton/dev@${gone}`);
  expect((await find(shelf)).map(({ ok, source }) => [ok, source])).toEqual([
    [false, gone],
    [true, good],
  ]);
});

test.for([
  [
    'an SBOM of another tool',
    [{ mediaType: 'application/spdx+json' }],
    { artifactType: 'application/spdx+json' },
  ],
  [
    'a notation signature',
    [{ mediaType: 'application/jose+json' }],
    { artifactType: 'application/vnd.cncf.notary.signature' },
  ],
] as const)('%s is not a bundle', async ([, layers, changes]) => {
  await using shelf = await openShelf();
  await attachOdd(shelf, layers, changes);
  expect(await find(shelf)).toEqual([]);
});

test.for([
  ['ggcr before d8112ef0', { artifactType: mediaTypes.empty }],
  ['a stranger', { artifactType: 'text/plain', annotations: { 'dev.sigstore.bundle.predicateType': 'x' } }],
  ['an old client', {}],
] as const)('a descriptor as %s writes it in the fallback tag hides nothing', async ([, written]) => {
  await using shelf = await openShelf({ referrersApi: false });
  const good = await attachGood(shelf);
  const tag = `triton/dev:${shelf.image.digest.replace(':', '-')}`;
  const index = JSON.parse(Buffer.from(shelf.server.manifests.get(tag)?.bytes ?? []).toString());
  const [{ mediaType, digest, size }] = index.manifests;
  index.manifests = [{ mediaType, digest, size, ...written }];
  shelf.server.manifests.set(tag, { mediaType: mediaTypes.index, bytes: Buffer.from(JSON.stringify(index)) });
  expect(await find(shelf)).toMatchObject([{ ok: true, source: good }]);
});

test('several subjects are asked for, and what refers to both is found once', async () => {
  await using shelf = await openShelf({ referrersApi: false });
  const good = await attachGood(shelf);
  const { server, registry, repository, image } = shelf;
  const other = digestOf(Buffer.from('another'));
  const listed = server.manifests.get(`triton/dev:${image.digest.replace(':', '-')}`);
  if (listed) {
    server.manifests.set(`triton/dev:${other.replace(':', '-')}`, listed);
  }
  expect(await discoverBundles(registry, repository, image.digest, other, image.digest)).toMatchObject([
    { ok: true, source: good },
  ]);
});

test('many bundles come in the order in which they are listed', async () => {
  await using shelf = await openShelf({ jitter: 5, pageSize: 3 });
  const attached: Digest[] = [];
  for (let count = 0; count < 9; count += 1) {
    attached.push(await attachGood(shelf));
  }
  expect((await find(shelf)).map(({ source }) => source)).toEqual(attached);
});

test.for([
  ['the list is refused', /GET .*referrers/, { status: 403 }, 'registry.unauthorized'],
  ['the list is throttled for ever', /GET .*referrers/, { status: 429 }, 'registry.refused'],
  ['the registry is broken', /GET .*referrers/, { status: 500 }, 'registry.unreachable'],
  ['a manifest is refused', /GET .*manifests\/sha256:/, { status: 401 }, 'registry.unauthorized'],
  ['a manifest is damaged on its way', /GET .*manifests\/sha256:/, { damage: true }, 'content.digest'],
  ['a bundle cannot be had', /GET .*blobs/, { status: 503 }, 'registry.unreachable'],
  ['a bundle is damaged on its way', /GET .*blobs/, { damage: true }, 'content.digest'],
  ['a bundle breaks off', /GET .*blobs/, { truncate: 10 }, 'registry.unreachable'],
] as const)('when %s, nobody can tell; it is never "unsigned"', async ([, match, fault, code]) => {
  await using shelf = await openShelf();
  await attachGood(shelf);
  shelf.server.fault(match, fault);
  await expect(find(shelf)).rejects.toMatchObject({ exit: 2, code });
});
