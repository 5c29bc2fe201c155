import { type Bytes, bytesOf, concat, decodeBase64, encodeBase64 } from '../base/bytes.ts';
import { type JsonLimits, jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { checkContent, type Digest, digestOf, isDigest, readDigest } from '../oci/digest.ts';
import { type Descriptor, parseManifest, readDescriptor } from '../oci/manifest.ts';
import type { Fetched, Store } from './contract.ts';

/**
 * What a store answered about one image. It holds content, never a conclusion: its users prove every
 * signature again, so a cache that somebody has changed can hide evidence and delay news, and cannot make a
 * bad image good.
 */
export interface StoreCache {
  /** By digest, or by a tag made of a digest (`sha256-<hex>.sig`). `undefined`: the registry had none. */
  readonly manifests: Map<string, Fetched | undefined>;
  readonly referrers: Map<Digest, readonly Descriptor[]>;
  readonly blobs: Map<Digest, Uint8Array>;
  /** When its oldest answer was given; absent where all of them are of this call. */
  readonly at?: Date;
  /** Bytes of all blobs and manifests. */
  size: number;
  /** Answers that were asked of the store and not of the cache. */
  asked: number;
}

const format = 'tcf.evidence/1';

/** A hundred usual signatures, or some SBOMs of large images. What is larger is asked for each time. */
export const storeCacheLimit: number = 48 * 1024 * 1024;
/** Base64 adds a third. */
const limits: JsonLimits = { maxBytes: 2 * storeCacheLimit, maxDepth: jsonLimits.small.maxDepth };
const maxEntries = 10_000;

export function emptyStoreCache(): StoreCache {
  return { manifests: new Map(), referrers: new Map(), blobs: new Map(), size: 0, asked: 0 };
}

/** The store, asked only for what the cache lacks; an answer without an error is kept. */
export function cachedStore(store: Store, cache: StoreCache): Store {
  return {
    manifest: async (repository, reference) => {
      if (cache.manifests.has(reference)) {
        return cache.manifests.get(reference);
      }
      cache.asked += 1;
      const fetched = await store.manifest(repository, reference);
      // A name that people choose may lead elsewhere the next time.
      if (isDigest(reference) || isBesideDigest(reference)) {
        cache.manifests.set(reference, fetched);
        cache.size += fetched?.bytes.length ?? 0;
      }
      return fetched;
    },
    referrers: async (repository, subject) => {
      const known = cache.referrers.get(subject);
      if (known !== undefined) {
        return known;
      }
      cache.asked += 1;
      const found = await store.referrers(repository, subject);
      cache.referrers.set(subject, found);
      return found;
    },
    blob: (repository, descriptor): Bytes => {
      const known = cache.blobs.get(descriptor.digest);
      if (known !== undefined) {
        return bytesOf(known);
      }
      cache.asked += 1;
      return kept(store.blob(repository, descriptor), descriptor, cache);
    },
  };
}

async function* kept(blob: Bytes, { digest, size }: Descriptor, cache: StoreCache): Bytes {
  const chunks: Uint8Array[] = [];
  const isSmall = cache.size + size <= storeCacheLimit;
  for await (const chunk of blob) {
    if (isSmall) {
      chunks.push(chunk);
    }
    yield chunk;
  }
  // The store has checked digest and size.
  cache.size += size;
  if (isSmall) {
    cache.blobs.set(digest, concat(chunks, size));
  }
}

/** A tag that a tool made of a digest, such as those of cosign 2: it belongs to this image only. */
function isBesideDigest(reference: string): boolean {
  return /^sha256-[0-9a-f]{64}\.(?:att|sig)$/.test(reference);
}

export function formatStoreCache(cache: StoreCache, now: Date): string {
  const at = cache.at ?? now;
  const manifests = [...cache.manifests].map(([reference, fetched]) =>
    fetched === undefined
      ? { reference }
      : { reference, mediaType: fetched.descriptor.mediaType, bytes: encodeBase64(fetched.bytes) },
  );
  const referrers = [...cache.referrers].map(([subject, found]) => ({ subject, found }));
  const blobs = [...cache.blobs].map(([digest, bytes]) => ({ digest, bytes: encodeBase64(bytes) }));
  return `${JSON.stringify({ format, at: at.toISOString(), manifests, referrers, blobs })}\n`;
}

/**
 * Reads what `formatStoreCache` wrote: content that is not what its digest says is refused.
 *
 * @throws TcfError `json.*`, `document.malformed`, `content.digest` (exit 2): such a cache is as good as
 *   none.
 */
export function parseStoreCache(bytes: Uint8Array, what: string): StoreCache & { readonly at: Date } {
  const shape = new Shape(parseJson(bytes, what, limits), what);
  if (shape.get('format').string() !== format) {
    throw shape.wrong('has another format');
  }
  const at = new Date(shape.get('at').string(40));
  if (Number.isNaN(at.getTime())) {
    throw shape.wrong('has no date');
  }
  const cache = { ...emptyStoreCache(), at };
  for (const entry of shape.get('manifests').list(maxEntries)) {
    const reference = entry.get('reference').string(200);
    const fetched = entry.optional('bytes') && readFetched(entry, reference);
    cache.manifests.set(reference, fetched);
    cache.size += fetched?.bytes.length ?? 0;
  }
  for (const entry of shape.get('referrers').list(maxEntries)) {
    const found = entry.get('found').list(maxEntries).map(readDescriptor);
    cache.referrers.set(readDigest(entry.get('subject')), found);
  }
  for (const entry of shape.get('blobs').list(maxEntries)) {
    const content = readBytes(entry);
    const digest = readDigest(entry.get('digest'));
    checkContent(content, digest, entry.path);
    cache.blobs.set(digest, content);
    cache.size += content.length;
  }
  return cache;
}

function readFetched(entry: Shape, reference: string): Fetched {
  const bytes = readBytes(entry);
  const digest = digestOf(bytes);
  if (isDigest(reference)) {
    checkContent(bytes, reference, entry.path);
  }
  const mediaType = entry.get('mediaType').string(255);
  return {
    bytes,
    descriptor: { mediaType, digest: isDigest(reference) ? reference : digest, size: bytes.length },
    document: parseManifest(bytes, mediaType, entry.path),
  };
}

function readBytes(entry: Shape): Uint8Array {
  const bytes = decodeBase64(entry.get('bytes').string(limits.maxBytes));
  if (bytes === undefined) {
    throw entry.get('bytes').wrong('is not base64');
  }
  return bytes;
}
