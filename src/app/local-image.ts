import { join } from 'node:path';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { StoredSignedImage } from '../image/stored-store.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import { stateFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';

/** `containers-storage:NAME`: an image of podman's store, which no registry has. */
export const isLocalName = (name: string): boolean => name.startsWith('containers-storage:');

/** `localhost/NAME`: what podman calls images of no registry. */
const localRegistry = 'localhost';

/** The name by which an image is asked about: one below `localhost/` is in podman's store or nowhere. */
export function nameToAsk(image: ImageRef): string {
  const name = formatImageRef(image);
  return image.registry === localRegistry ? `containers-storage:${name}` : name;
}

/**
 * The image that a devcontainer.json can name: `registry/repository`, or `containers-storage:localhost/NAME`.
 *
 * @throws TcfError `image.local`, `reference.malformed` (exit 3).
 */
export function readNamedImage(name: string): ImageRef {
  if (!isLocalName(name)) {
    return parseImageRef(name);
  }
  const image = parseImageRef(name.slice('containers-storage:'.length));
  if (image.registry === localRegistry) {
    return image;
  }
  throw askedWrongly('image.local', `${quoted(name)} is not below localhost/`, {
    hint: 'an image of a registry is named as it is there, without containers-storage:',
  });
}

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
