import { quoted } from '../base/text.ts';
import type { ImageConfig } from '../oci/config.ts';
import type { Platform } from '../oci/manifest.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { Registry, Store } from '../registry/contract.ts';
import type { ImageSource, OpenImage, PlacedImageName } from './contract.ts';
import { openFromStore } from './from-store.ts';
import { fetchNamed, tagWarnings } from './manifests.ts';
import { formatPlatform } from './platform.ts';

export interface RegistryName extends PlacedImageName {
  readonly transport: 'docker';
  readonly ref: ImageRef;
}

export const registrySource: ImageSource<RegistryName> = {
  transport: 'docker',
  form: 'docker://REF',
  parse: (rest) =>
    rest.startsWith('//') ? { transport: 'docker', ref: parseImageRef(rest.slice(2)) } : undefined,
  async open({ ref }, platform, host) {
    const registry = await host.registry();
    return await openFromRegistry(
      registry,
      ref,
      platform,
      host.partial === true ? registry.range : undefined,
    );
  },
};

export function isRegistryName(name: PlacedImageName): name is RegistryName {
  return name.transport === registrySource.transport;
}

/**
 * Opens an image of a registry. The name is resolved once. Where the reference has both tag and digest, the
 * digest wins.
 *
 * @param range Gives parts of blobs, where only parts of layers are to be read.
 *
 * @throws TcfError (exit 2): not there, no such platform, no image.
 */
export async function openFromRegistry(
  registry: Store,
  ref: ImageRef,
  platform: Platform,
  range?: Registry['range'],
): Promise<OpenImage> {
  const what = quoted(formatImageRef(ref));
  const named = await fetchNamed(registry, ref, ref.digest ?? ref.tag ?? 'latest', what);
  const image = await openFromStore(registry, {
    repository: ref,
    named,
    platform,
    what,
    range: range && ((blob, start, length) => range(ref, blob, start, length)),
  });
  const warnings = [...(await tagWarnings(registry, ref)), ...platformWarnings(image.config, platform, what)];
  return { ...image, repository: `${ref.registry}/${ref.repository}`, warnings };
}

function platformWarnings(config: ImageConfig, wanted: Platform, what: string): readonly string[] {
  if (config.os === wanted.os && config.architecture === wanted.architecture) {
    return [];
  }
  return [`${what} is built for ${formatPlatform(config)}, not for ${formatPlatform(wanted)}`];
}
