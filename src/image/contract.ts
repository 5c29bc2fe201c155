import type { Bytes } from '../base/bytes.ts';
import type { ImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/manifest.ts';
import type { Registry } from '../registry/contract.ts';
import type { PartialLayer } from './partial/partial-layer.ts';
import type { SplitLayer } from './tar-split.ts';

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
  /** The layers are read where they lie, or in parts, and their digests are not recomputed. */
  readonly isUnverified?: boolean;
  /** What the user should hear about the name, each in one sentence. */
  readonly warnings?: readonly string[];
}

export interface ImageLayer {
  readonly index: number;
  readonly diffId: Digest;
  readonly createdBy?: string;
  /** For messages: `layer 0 of "oci:x"`. */
  readonly what: string;
  readonly stored: StoredLayer;
  /**
   * The uncompressed tar stream. Checked while it passes: compressed bytes against the descriptor's digest
   * and size where there is one, uncompressed bytes against `diffId`. May be called again, which reads the
   * source again.
   */
  open(): Bytes;
}

/** One layer as it lies in a store. */
export interface StoredLayer {
  /** `` where the store names none. */
  readonly mediaType: string;
  /** Stored bytes, as far as they are known beforehand. */
  readonly size?: number;
  /** The stored bytes, checked where the store says what they are. */
  open(): Bytes;
  /**
   * Where they begin in a stream that is read from its beginning each time: layers are read in that order,
   * one at a time.
   */
  readonly position?: number;
  /** Where the stored bytes lie in a file, for a thread that reads them by itself. */
  readonly file?: FileRange;
  /** What a store of containers/storage has in place of an archive. */
  readonly split?: SplitLayer;
  /** Only parts of it are read, each checked by itself. */
  readonly partial?: PartialLayer;
}

/** Part of a regular file, or all of it. */
export interface FileRange {
  readonly path: string;
  readonly start?: number;
  /** Of all of the file where it is not given. */
  readonly length?: number;
  /** What these bytes are, where the store says so. */
  readonly content?: { readonly digest: Digest; readonly size: number; readonly what: string };
}

/** The local store is found by these (containers-storage.conf(5)). */
export interface StorageSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly uid: number;
}

/** What opening an image needs of the world. */
export interface SourceHost extends StorageSettings {
  /** Relative paths start here. */
  readonly cwd: string;
  /**
   * Whether the layers of a local store are read whole and checked against their digests; they are read where
   * they lie otherwise.
   */
  readonly verifyLayers?: boolean;
  /** Whether of the layers of a registry only parts are read, where they have a table of contents. */
  readonly partial?: boolean;
  /** Called only for an image of a registry. */
  readonly registry: () => Promise<Registry> | Registry;
}

/** An image as a source read its name: plain data that the same source opens. */
export interface PlacedImageName {
  readonly transport: string;
}

/** A place where images lie, spelled as in containers-transports(5). */
export interface ImageSource<Name extends PlacedImageName = PlacedImageName> {
  /** What stands before the first colon: `oci-archive`. */
  readonly transport: Name['transport'];
  /** How a hint spells it: `oci-archive:FILE`. */
  readonly form: string;
  /**
   * Reads what follows the colon; `text` is the whole name, for messages. `undefined`: not spelled as `form`
   * says.
   *
   * @throws TcfError `image.transport` (exit 3) for a name that lacks a part.
   */
  parse(rest: string, text: string): Name | undefined;
  /**
   * `platform` chooses among several images; a source with one image only gives that one.
   *
   * @throws TcfError (exit 2 or 3).
   */
  open(name: Name, platform: Platform, host: SourceHost): Promise<OpenImage>;
}
