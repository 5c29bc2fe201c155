import type { Registry, Repository } from './contract.ts';
import type { CopyTarget } from './copy.ts';

/**
 * A repository as the target of a copy. `from` is the source where it is on the same registry: blobs are
 * mounted from there.
 */
export function registryTarget(
  registry: Registry,
  repository: Repository,
  tag: string | undefined,
  from?: Repository,
): CopyTarget {
  return {
    manifest: (name) => registry.manifest(repository, name),
    putBlob: (blob, open) => registry.copyBlob(repository, blob, open, from),
    putManifest: async ({ bytes, descriptor: { digest, mediaType } }) => {
      await registry.pushManifest(repository, digest, mediaType, bytes);
    },
    attach: (manifests, subject) => registry.attachAll(repository, manifests, subject),
    tag: async ({ bytes, descriptor }, name) => {
      await registry.pushManifest(repository, name, descriptor.mediaType, bytes);
    },
    publish: async ({ bytes, descriptor }) => {
      if (tag !== undefined) {
        await registry.pushManifest(repository, tag, descriptor.mediaType, bytes);
      }
    },
  };
}
