import { type Bytes, collect } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { type ImageConfig, parseImageConfig } from '../oci/config.ts';
import type { Descriptor, Manifest, Platform } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Fetched, Repository, Store } from '../registry/contract.ts';
import type { FileRange, OpenImage } from './contract.ts';
import { platformOf, toLayers } from './layers.ts';
import { chooseManifest } from './manifests.ts';
import { partialLayer } from './partial/partial-layer.ts';

const configTypes: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];

/** Which image of a store is meant. */
export interface StoredImageRequest {
  readonly repository: Repository;
  /** What the name led to. */
  readonly named: Fetched;
  readonly platform: Platform;
  /** For messages. */
  readonly what: string;
  /** Where a blob lies as a file, if it does. */
  readonly locate?: ((blob: Descriptor) => FileRange | undefined) | undefined;
  /** Gives parts of a blob; layers with a table of contents are then read in parts. */
  readonly range?: ((blob: Descriptor, start: number, length: number) => Bytes) | undefined;
}

/**
 * Opens the image that `named` leads to in a registry or a layout. From there everything is asked for by
 * digest. `locate` says where a blob lies in a file, if it does.
 *
 * @throws TcfError (exit 2): not there, no such platform, no image.
 */
export async function openFromStore(
  store: Store,
  { locate = () => undefined, named, platform, range, repository, what }: StoredImageRequest,
): Promise<OpenImage> {
  const { descriptor, manifest } = await chooseManifest(store, repository, named, platform, what);
  const config = await fetchConfig(store, repository, manifest, what);
  const stored = manifest.layers.map((layer) => {
    const file = locate(layer);
    return compact({
      mediaType: layer.mediaType,
      size: layer.size,
      open: () => store.blob(repository, layer),
      file,
      partial: range && partialLayer(layer, (start, length) => range(layer, start, length)),
    });
  });
  const isUnverified = stored.some(({ partial }) => partial !== undefined);
  return {
    manifestDigest: descriptor.digest,
    ...(named.document.kind === 'index' ? { indexDigest: named.descriptor.digest } : {}),
    annotations: manifest.annotations,
    configDigest: manifest.config.digest,
    config,
    platform: platformOf(config),
    layers: toLayers(config, stored, what),
    ...(isUnverified ? { isUnverified } : {}),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function fetchConfig(
  store: Store,
  repository: Repository,
  { config }: Manifest,
  what: string,
): Promise<ImageConfig> {
  if (!configTypes.includes(config.mediaType)) {
    throw cannotTell('image.config', `${what} is not an image: its config is ${quoted(config.mediaType)}`);
  }
  const name = `the configuration of ${what}`;
  return parseImageConfig(
    await collect(store.blob(repository, config), jsonLimits.small.maxBytes, name),
    name,
  );
}
