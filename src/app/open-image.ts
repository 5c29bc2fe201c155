import type { OpenImage } from '../image/contract.ts';
import { isInContainersStorage } from '../image/from-containers-storage.ts';
import { openImage, parseImageName, type SourceHost } from '../image/source.ts';
import { localStoreOf } from '../image/storage-conf.ts';
import { parseImageRef } from '../oci/reference.ts';
import type { Host } from '../system/host.ts';
import type { Options } from './options.ts';
import { openUserRegistry, readPlatform } from './registries.ts';

/**
 * Opens an image as the user named it. A bare name is an image of the local store where that holds it, and of a registry otherwise; a store that cannot
 * be read is an error and not "otherwise".
 */
export async function openUserImage(host: Host, text: string, options: Options): Promise<OpenImage> {
  const sources: SourceHost = {
    cwd: host.cwd,
    env: host.env,
    home: host.home,
    uid: host.uid,
    registry: () => openUserRegistry(host, options),
  };
  const platform = readPlatform(host, options);
  const name = parseImageName(text);
  if (name.transport !== 'bare') return await openImage(name, platform, sources);
  const ref = parseImageRef(name.name);
  const isLocal = await isInContainersStorage(await localStoreOf(sources), name.name);
  return await openImage(
    isLocal ? { transport: 'containers-storage', name: name.name } : { transport: 'docker', ref },
    platform,
    sources,
  );
}
