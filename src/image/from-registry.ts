import { collect } from '../base/bytes.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { type ImageConfig, parseImageConfig } from '../oci/config.ts';
import type { Descriptor, Manifest, Platform } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { formatImageRef, type ImageRef } from '../oci/reference.ts';
import type { Fetched, Registry, Store } from '../registry/contract.ts';
import type { OpenImage } from './contract.ts';
import { platformOf, toLayers } from './layers.ts';
import { choosePlatform, formatPlatform } from './platform.ts';

const configTypes: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];
/** An index in an index exists (nested by build farms); deeper is a maze. */
const maxNesting = 1;

/**
 * Opens an image of a registry. The name is resolved once, and from there everything is asked for by digest. Where the reference has both
 * tag and digest, the digest wins (A-2).
 *
 * @throws TcfError (exit 2): not there, no such platform, no image.
 */
export async function openFromRegistry(
  registry: Registry,
  ref: ImageRef,
  platform: Platform,
): Promise<OpenImage> {
  const what = quoted(formatImageRef(ref));
  const named = await fetch(registry, ref, ref.digest ?? ref.tag ?? 'latest', what);
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

async function fetch(registry: Store, ref: ImageRef, reference: string, what: string): Promise<Fetched> {
  const fetched = await registry.manifest(ref, reference);
  if (fetched !== undefined) return fetched;
  throw cannotTell('image.missing', `the registry has no ${what}`, {
    hint: 'check the name; some registries say so as well when you are not logged in',
  });
}

/** Follows an index to the manifest for a platform. `named` is what the reference led to. @throws TcfError (exit 2). */
export async function chooseManifest(
  registry: Store,
  ref: ImageRef,
  named: Fetched,
  platform: Platform,
  what: string,
): Promise<{ readonly descriptor: Descriptor; readonly manifest: Manifest }> {
  let { descriptor, document } = named;
  for (let nesting = 0; document.kind === 'index'; nesting += 1) {
    if (nesting > maxNesting)
      throw cannotTell('image.nesting', `${what} is an index in an index in an index`);
    const chosen = choosePlatform(document, platform, what);
    const fetched = await fetch(registry, ref, chosen.digest, `${what} for ${formatPlatform(platform)}`);
    if (fetched.descriptor.size !== chosen.size || fetched.descriptor.mediaType !== chosen.mediaType) {
      throw cannotTell(
        'image.descriptor',
        `${what}: manifest ${chosen.digest} is not what the index says of it`,
      );
    }
    ({ descriptor, document } = fetched);
  }
  return { descriptor, manifest: document };
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

/** Where the tag beside a digest leads by now. It changes nothing, so a failure to find out changes nothing either. */
export async function tagWarnings(registry: Registry, ref: ImageRef): Promise<readonly string[]> {
  const { tag, digest } = ref;
  if (tag === undefined || digest === undefined) return [];
  const kept = `${digest} is used`;
  try {
    const tagged = await registry.manifest(ref, tag);
    if (tagged?.descriptor.digest === digest) return [];
    return [`tag ${quoted(tag)} ${tagged ? `leads to ${tagged.descriptor.digest}` : 'is gone'}; ${kept}`];
  } catch (error) {
    if (!(error instanceof TcfError)) throw error;
    return [`could not see where tag ${quoted(tag)} leads (${error.message}); ${kept}`];
  }
}

function platformWarnings(config: ImageConfig, wanted: Platform, what: string): readonly string[] {
  if (config.os === wanted.os && config.architecture === wanted.architecture) return [];
  return [`${what} is built for ${formatPlatform(config)}, not for ${formatPlatform(wanted)}`];
}
