import { join } from 'node:path';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { StoredSignedImage } from '../image/stored-store.ts';
import { stateFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';

/** `containers-storage:NAME`: an image of podman's store, which no registry has. */
export const isLocalName = (name: string): boolean => name.startsWith('containers-storage:');

/** Where the signatures of local images lie. */
export const localSignatures = (host: Host): string => join(stateFolder(host), 'local-signatures');

/** @throws TcfError `image.transport`, `image.local` (exit 3); `image.missing`, `storage.image` (exit 2). */
export async function openLocalImage(host: Host, name: string): Promise<StoredSignedImage> {
  // What reads stores is loaded for local images only: a start from a registry must not wait for it.
  const [{ containersStorage }, { localStoreOf }, { localStoreAt }, { openStoredImage }] = await Promise.all([
    import('../image/from-containers-storage.ts'),
    import('../image/storage-conf.ts'),
    import('../image/storage-files.ts'),
    import('../image/stored-store.ts'),
  ]);
  const parsed = containersStorage.parse(name.slice('containers-storage:'.length), name);
  if (parsed === undefined) {
    throw askedWrongly('image.transport', `${quoted(name)} names no image in a store`);
  }
  const { driver, graphRoot } = parsed;
  const local = graphRoot === undefined ? await localStoreOf(host) : await localStoreAt(graphRoot, driver);
  return await openStoredImage(local, parsed.name, localSignatures(host));
}
