import { quoted } from '../base/text.ts';
import type { OpenImage, SourceHost } from '../image/contract.ts';
import { isInContainersStorage, openFromContainersStorage } from '../image/from-containers-storage.ts';
import { isBareName, openNamedImage, parseImageName } from '../image/source.ts';
import { localStoreOf } from '../image/storage-conf.ts';
import type { Platform } from '../oci/manifest.ts';
import { parseImageRef } from '../oci/reference.ts';
import type { Host } from '../system/host.ts';
import { isPath, refuseFileName } from './file-names.ts';
import type { Network } from './network.ts';
import { hostPlatform } from './registries.ts';

export interface ImageRequest {
  /** Which image of an index. Default: the one of this machine. */
  readonly platform?: Platform;
  readonly network?: Network;
  /**
   * Whether the layers of a local store are read whole and checked; they are read where they lie otherwise.
   */
  readonly verifyLayers?: boolean;
  /** Whether of layers in a registry only parts are read, where they have a table of contents. */
  readonly partial?: boolean;
}

/**
 * Opens an image as the user named it. A bare name is an image of the local store where that holds it, and of
 * a registry otherwise; a store that cannot be read is an error and not "otherwise".
 */
export async function openImage(host: Host, text: string, request: ImageRequest = {}): Promise<OpenImage> {
  const opened = await openAny(host, text, request);
  if (request.partial !== true || opened.layers.some(({ stored }) => stored.partial !== undefined)) {
    return opened;
  }
  const why = `no layer of ${quoted(text)} can be read in parts: each is read whole`;
  return { ...opened, warnings: [...(opened.warnings ?? []), why] };
}

async function openAny(
  host: Host,
  text: string,
  { network, partial = false, platform = hostPlatform(host), verifyLayers = false }: ImageRequest,
): Promise<OpenImage> {
  const sources: SourceHost = {
    cwd: host.cwd,
    env: host.env,
    home: host.home,
    uid: host.uid,
    verifyLayers,
    partial,
    async registry() {
      // What speaks to registries is loaded where one is asked.
      const [{ openUserRegistry }, { loadRegistriesConfig }] = await Promise.all([
        import('./network.ts'),
        import('../registry/registries-files.ts'),
      ]);
      return openUserRegistry(host, network, await loadRegistriesConfig(host, 'full'));
    },
  };
  const name = parseImageName(text);
  if (!isBareName(name)) {
    return await openNamedImage(name, platform, sources);
  }
  if (isPath(name.name)) {
    refuseFileName(host, name.name);
  }
  parseImageRef(name.name);
  const store = await localStoreOf(sources);
  if (await isInContainersStorage(store, name.name)) {
    return await openFromContainersStorage(store, name.name, sources);
  }
  const [{ openUserRegistry }, { resolveImageName }, { openFromRegistry }] = await Promise.all([
    import('./network.ts'),
    import('./names.ts'),
    import('../image/from-registry.ts'),
  ]);
  const { config, ref } = await resolveImageName(host, name.name, 'sbom');
  const registry = await openUserRegistry(host, network, config);
  return await openFromRegistry(registry, ref, platform, partial ? registry.range : undefined);
}
