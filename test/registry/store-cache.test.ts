import { expect, test } from 'vitest';
import { bytesOf, collect, encodeUtf8 } from '../../src/base/bytes.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { type Descriptor, parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { Fetched, Store } from '../../src/registry/contract.ts';
import {
  cachedStore,
  emptyStoreCache,
  formatStoreCache,
  parseStoreCache,
  type StoreCache,
  storeCacheLimit,
} from '../../src/registry/store-cache.ts';
import { descriptorOf, manifestNamed } from './support.ts';

const at = { registry: 'registry.example', repository: 'team/app' };
const bytes = manifestNamed('image');
const digest = digestOf(bytes);
const image: Fetched = {
  bytes,
  descriptor: descriptorOf(bytes),
  document: parseManifest(bytes, undefined, 'the image'),
};
const layer = encodeUtf8('a layer');
const blob: Descriptor = { mediaType: mediaTypes.layer, digest: digestOf(layer), size: layer.length };
const signature = descriptorOf(manifestNamed('signature'));
const hex = digest.slice('sha256:'.length);

/** A store that has everything it is asked for but what is named `gone`, and what it was asked. */
function counted(): { readonly store: Store; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    store: {
      manifest: async (_, reference) => {
        asked.push(reference);
        return reference.endsWith('.sig') ? undefined : image;
      },
      referrers: async (_, subject) => {
        asked.push(`referrers of ${subject}`);
        return [signature];
      },
      blob: (_, descriptor) => {
        asked.push(descriptor.digest);
        return bytesOf(layer.subarray(0, 2), layer.subarray(2));
      },
    },
  };
}

test.for([
  ['a digest', digest, true],
  ["cosign 2's signatures, of which there are none", `sha256-${hex}.sig`, true],
  ["cosign 2's attestations", `sha256-${hex}.att`, true],
  ['a tag', 'latest', false],
  ["a tag that ends like cosign 2's", `old-sha256-${hex}.att`, false],
  ["a tag that begins like cosign 2's", `sha256-${hex}.attic`, false],
] as const)('a manifest by %s is kept or not: %s', async ([, reference, isKept]) => {
  const { asked, store } = counted();
  const cache = emptyStoreCache();
  const near = cachedStore(store, cache);
  const first = await near.manifest(at, reference);
  expect(await near.manifest(at, reference)).toBe(first);
  expect(asked).toHaveLength(isKept ? 1 : 2);
  expect(cache.asked).toBe(isKept ? 1 : 2);
  expect(cache.size).toBe(isKept && first !== undefined ? bytes.length : 0);
});

test('referrers and blobs are asked for once', async () => {
  const { asked, store } = counted();
  const cache = emptyStoreCache();
  const near = cachedStore(store, cache);
  for (let times = 0; times < 2; times += 1) {
    expect(await near.referrers(at, digest)).toEqual([signature]);
    expect(await collect(near.blob(at, blob), 100, 'the blob')).toEqual(layer);
  }
  expect(asked).toEqual([`referrers of ${digest}`, blob.digest]);
  expect(cache).toMatchObject({ asked: 2, size: layer.length });
});

test('a blob beyond the limit passes, and is asked for again', async () => {
  const { asked, store } = counted();
  const cache = { ...emptyStoreCache(), size: storeCacheLimit };
  const near = cachedStore(store, cache);
  for (let times = 0; times < 2; times += 1) {
    expect(await collect(near.blob(at, blob), 100, 'the blob')).toEqual(layer);
  }
  expect(asked).toHaveLength(2);
  expect(cache.blobs.size).toBe(0);
});

test('a blob that breaks is not kept', async () => {
  const cache = emptyStoreCache();
  const broken: Store = {
    ...counted().store,
    blob: async function* () {
      yield layer.subarray(0, 2);
      throw new Error('the line broke');
    },
  };
  await expect(collect(cachedStore(broken, cache).blob(at, blob), 100, 'the blob')).rejects.toThrow('broke');
  expect(cache).toMatchObject({ size: 0, blobs: new Map() });
});

async function filled(): Promise<StoreCache> {
  const cache = emptyStoreCache();
  const near = cachedStore(counted().store, cache);
  await near.manifest(at, digest);
  await near.manifest(at, `sha256-${hex}.sig`);
  await near.manifest(at, `sha256-${hex}.att`);
  await near.referrers(at, digest);
  await collect(near.blob(at, blob), 100, 'the blob');
  return cache;
}

test('what was written is read again, and answers in place of the store', async () => {
  const cache = await filled();
  const text = formatStoreCache(cache, new Date('2026-11-30T12:00:00Z'));
  const read = parseStoreCache(encodeUtf8(text), 'the cache');
  expect(read).toEqual({ ...cache, asked: 0, at: new Date('2026-11-30T12:00:00Z') });
  expect(formatStoreCache(read, new Date())).toBe(text);
});

type Text = Record<string, unknown> & {
  manifests: Record<string, unknown>[];
  referrers: Record<string, unknown>[];
  blobs: Record<string, unknown>[];
};
const other = `sha256:${'0'.repeat(64)}` as Digest;
test.for<readonly [string, (text: Text) => void, RegExp]>([
  ['another format', (text) => void Object.assign(text, { format: 'tcf.evidence/2' }), /another format/],
  ['no date', (text) => void Object.assign(text, { at: 'yesterday' }), /has no date/],
  [
    'a manifest under another digest',
    ({ manifests }) => void Object.assign(manifests[0] ?? {}, { reference: other }),
    /is sha256:.*, not sha256:/,
  ],
  [
    'a blob under another digest',
    ({ blobs }) => void Object.assign(blobs[0] ?? {}, { digest: other }),
    /is sha256:.*, not sha256:/,
  ],
  [
    'a blob that is no base64',
    ({ blobs }) => void Object.assign(blobs[0] ?? {}, { bytes: '%' }),
    /is not base64/,
  ],
  [
    'a manifest that is none',
    ({ manifests }) => void Object.assign(manifests[2] ?? {}, { bytes: 'e30=' }),
    /./,
  ],
  [
    'referrers of no digest',
    ({ referrers }) => void Object.assign(referrers[0] ?? {}, { subject: 'x' }),
    /digest/,
  ],
])('a cache with %s is refused', async ([, change, expected]) => {
  const text = JSON.parse(formatStoreCache(await filled(), new Date())) as Text;
  change(text);
  expect(() => parseStoreCache(encodeUtf8(JSON.stringify(text)), 'the cache')).toThrow(expected);
});
