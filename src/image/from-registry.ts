import { collect } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { type ImageConfig, parseImageConfig } from '../oci/config.ts';
import type { Manifest, Platform } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { formatImageRef, type ImageRef } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { OpenImage } from './contract.ts';
import { platformOf, toLayers } from './layers.ts';
import { chooseManifest, fetchNamed, tagWarnings } from './manifests.ts';
import { formatPlatform } from './platform.ts';

const configTypes: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];

/**
 * Opens an image of a registry. The name is resolved once, and from there everything is asked for by digest. Where the reference has both
 * tag and digest, the digest wins.
 *
 * @throws TcfError (exit 2): not there, no such platform, no image.
 */
export async function openFromRegistry(
  registry: Registry,
  ref: ImageRef,
  platform: Platform,
): Promise<OpenImage> {
  const what = quoted(formatImageRef(ref));
  const named = await fetchNamed(registry, ref, ref.digest ?? ref.tag ?? 'latest', what);
  const { descriptor, manifest } = await chooseManifest(registry, ref, named, platform, what);
  const config = await fetchConfig(registry, ref, manifest, what);
  const stored = manifest.layers.map((layer) => ({
    mediaType: layer.mediaType,
    open: () => registry.blob(ref, layer),
  }));
  const warnings = [...(await tagWarnings(registry, ref)), ...platformWarnings(config, platform, what)];
  return {
    repository: `${ref.registry}/${ref.repository}`,
    manifestDigest: descriptor.digest,
    ...(named.document.kind === 'index' ? { indexDigest: named.descriptor.digest } : {}),
    annotations: manifest.annotations,
    configDigest: manifest.config.digest,
    config,
    platform: platformOf(config),
    layers: toLayers(config, stored, what),
    warnings,
    [Symbol.asyncDispose]: async () => {},
  };
}

async function fetchConfig(
  registry: Registry,
  ref: ImageRef,
  { config }: Manifest,
  what: string,
): Promise<ImageConfig> {
  if (!configTypes.includes(config.mediaType)) {
    throw cannotTell('image.config', `${what} is no image: its config is ${quoted(config.mediaType)}`);
  }
  const name = `the configuration of ${what}`;
  const bytes = await collect(registry.blob(ref, config), jsonLimits.small.maxBytes, name);
  return parseImageConfig(bytes, name);
}

function platformWarnings(config: ImageConfig, wanted: Platform, what: string): readonly string[] {
  if (config.os === wanted.os && config.architecture === wanted.architecture) return [];
  return [`${what} is built for ${formatPlatform(config)}, not for ${formatPlatform(wanted)}`];
}
