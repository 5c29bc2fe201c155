import type { Bytes } from '../base/bytes.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, Index, Manifest } from '../oci/manifest.ts';
import type { ImageRef } from '../oci/reference.ts';

/** A repository on a registry: `quay.io` and `triton-dev-containers/cpu`. */
export type Repository = Pick<ImageRef, 'registry' | 'repository'>;

/** A manifest or index as it came, with the digest of exactly these bytes. */
export interface Fetched {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
  readonly document: Manifest | Index;
}

/** What became of a blob that was to be copied. */
export type BlobFate = 'copied' | 'mounted' | 'there';

/**
 * The OCI distribution API as far as tcf uses it. Each method throws TcfError (exit 2) with one of the codes
 * `registry.unreachable`, `registry.unauthorized`, `registry.refused`, `registry.missing`, `registry.limit`,
 * `registry.protocol`, and never turns an error into "there is none".
 */
export interface Registry {
  /**
   * GET of a manifest by tag or digest, its bytes checked against the digest. `undefined`: the registry says
   * 404.
   */
  manifest(repository: Repository, reference: string | Digest): Promise<Fetched | undefined>;
  /** A blob as a stream, checked against digest and size while it passes. */
  blob(repository: Repository, descriptor: Descriptor): Bytes;
  /**
   * Part of a blob. Nothing says what it should be: whoever asks has to know. Throws `registry.ranges` where
   * the registry sends something else.
   */
  range(repository: Repository, descriptor: Descriptor, start: number, length: number): Bytes;
  /** Uploads a blob unless it is there. */
  pushBlob(repository: Repository, mediaType: string, bytes: Uint8Array): Promise<Descriptor>;
  /**
   * Uploads a blob as it streams by, unless it is there. `open` yields checked bytes and may be called again;
   * `from` is a repository of the same registry that has the blob.
   */
  copyBlob(repository: Repository, blob: Descriptor, open: () => Bytes, from?: Repository): Promise<BlobFate>;
  /** PUT of a manifest by tag or by its own digest. */
  pushManifest(
    repository: Repository,
    reference: string | Digest,
    mediaType: string,
    bytes: Uint8Array,
  ): Promise<Descriptor>;
  /**
   * Everything that refers to `subject`: the referrers API with all its pages, or the fallback tag where the
   * registry has no such API (distribution specification, "Listing Referrers"). Descriptors are hints of a
   * stranger, not facts.
   */
  referrers(repository: Repository, subject: Digest): Promise<readonly Descriptor[]>;
  /** All tags of a repository. */
  tags(repository: Repository): Promise<readonly string[]>;
  /**
   * Pushes a manifest that has `subject`, by digest, and makes it findable: through the API, or by adding it
   * to the fallback tag so that two writers at once lose nothing. Returns its descriptor.
   */
  attach(repository: Repository, manifest: Uint8Array, subject: Descriptor): Promise<Descriptor>;
  /** As `attach`, for manifests that keep the digests they have. */
  attachAll(repository: Repository, manifests: readonly Fetched[], subject: Digest): Promise<void>;
}

/**
 * What it takes to find an image and all that was signed about it: a registry, or an OCI image layout on
 * disk.
 */
export type Store = Pick<Registry, 'blob' | 'manifest' | 'referrers'>;
