import { quoted } from '../base/text.ts';
import type { ImageConfig } from '../oci/config.ts';
import type { Platform } from '../oci/manifest.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { Store } from '../registry/contract.ts';
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
  open: async ({ ref }, platform, host) => await openFromRegistry(await host.registry(), ref, platform),
};

export function isRegistryName(name: PlacedImageName): name is RegistryName {
  return name.transport === registrySource.transport;
}

/**
 * Opens an image of a registry. The name is resolved once. Where the reference has both tag and digest, the
 * digest wins.
 *
 * @throws TcfError (exit 2): not there, no such platform, no image.
 */
export async function openFromRegistry(
  registry: Store,
  ref: ImageRef,
  platform: Platform,
): Promise<OpenImage> {
  const what = quoted(formatImageRef(ref));
  const named = await fetchNamed(registry, ref, ref.digest ?? ref.tag ?? 'latest', what);
  const image = await openFromStore(registry, { repository: ref, named, platform, what });
  const warnings = [...(await tagWarnings(registry, ref)), ...platformWarnings(image.config, platform, what)];
  return { ...image, repository: `${ref.registry}/${ref.repository}`, warnings };
}

function platformWarnings(config: ImageConfig, wanted: Platform, what: string): readonly string[] {
  if (config.os === wanted.os && config.architecture === wanted.architecture) {
    return [];
  }
  return [`${what} is built for ${formatPlatform(config)}, not for ${formatPlatform(wanted)}`];
}
