import { collect } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { emptyConfig, formatArtifact } from '../../oci/artifact.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Registry, Repository } from '../../registry/contract.ts';
import type { Bucket } from '../../registry/s3/bucket.ts';
import { maxCacheEntry } from './entry.ts';

/** A place of a shared cache: bytes by key, and nothing about who wrote them. */
export interface EntryStore {
  /** For messages. */
  readonly name: string;
  /** `undefined` where there is none. @throws TcfError (exit 2). */
  get(key: string): Promise<Uint8Array | undefined>;
  has(key: string): Promise<boolean>;
  /** Replaces what is there. */
  put(key: string, bytes: Uint8Array): Promise<void>;
}

/** The artifact type of an entry in a registry. */
const entryArtifact = 'application/vnd.tcf.layer-record.v1';

/**
 * Entries in a repository of a registry: each is an OCI artifact with one layer, found by its tag. A hit
 * takes two requests, a miss one.
 */
export function registryEntries(registry: Registry, place: Repository): EntryStore {
  const name = `${place.registry}/${place.repository}`;
  let config: ReturnType<Registry['pushBlob']> | undefined;
  return {
    name,
    async get(key) {
      const fetched = await registry.manifest(place, key);
      if (fetched === undefined) {
        return undefined;
      }
      const { document } = fetched;
      const [layer, ...more] = document.kind === 'manifest' ? document.layers : [];
      if (layer === undefined || more.length > 0 || layer.mediaType !== entryArtifact) {
        throw cannotTell('cache.entry', `${quoted(`${name}:${key}`)} holds no record of a layer`);
      }
      if (layer.size > maxCacheEntry) {
        throw cannotTell(
          'cache.entry',
          `${quoted(`${name}:${key}`)} has ${layer.size} bytes, more than the limit of ${maxCacheEntry}`,
        );
      }
      return await collect(
        registry.blob(place, layer),
        maxCacheEntry,
        `the record ${quoted(`${name}:${key}`)}`,
      );
    },
    has: async (key) => (await registry.manifest(place, key)) !== undefined,
    async put(key, bytes) {
      config ??= registry.pushBlob(place, emptyConfig.mediaType, emptyConfig.bytes);
      const [empty, layer] = await Promise.all([config, registry.pushBlob(place, entryArtifact, bytes)]);
      const manifest = formatArtifact(entryArtifact, empty, layer);
      await registry.pushManifest(place, key, mediaTypes.manifest, manifest);
    },
  };
}

/** Entries as objects of a bucket. A hit and a miss take one request each. */
export function bucketEntries(bucket: Bucket): EntryStore {
  return {
    name: bucket.name,
    get: (key) => bucket.get(key, maxCacheEntry),
    has: (key) => bucket.has(key),
    put: (key, bytes) => bucket.put(key, bytes),
  };
}
