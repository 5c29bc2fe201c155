import type { Bytes } from '../base/bytes.ts';
import type { ImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/manifest.ts';

/** An image that was found and chosen for one platform, whatever store it lies in. */
export interface OpenImage extends AsyncDisposable {
  /** `registry/repository`, where the source knows it. */
  readonly repository?: string;
  /** Digest of the platform's image manifest, where the source has one (a docker-archive has not). */
  readonly manifestDigest?: Digest;
  /** Digest the name led to, when that was an index. */
  readonly indexDigest?: Digest;
  /** Of the manifest. Claims of the builder, as labels are. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly configDigest: Digest;
  readonly config: ImageConfig;
  readonly platform: Platform;
  /** Lowest first, one for each diffID of the configuration. */
  readonly layers: readonly ImageLayer[];
  /** What the user should hear about the name, each in one sentence. */
  readonly warnings?: readonly string[];
}

export interface ImageLayer {
  readonly index: number;
  readonly diffId: Digest;
  readonly createdBy?: string;
  /**
   * The uncompressed tar stream. Checked while it passes: compressed bytes against the descriptor's digest and size where
   * there is one, uncompressed bytes against `diffId`. May be called again, which reads the source again.
   */
  open(): Bytes;
}
