import { askedWrongly, cannotTell } from '../base/error.ts';
import type { Platform } from '../oci/manifest.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { Fetched, Store } from '../registry/contract.ts';
import type { Host } from '../system/host.ts';

/**
 * A name that must lead to a registry, because that is where signatures are. `docker://` may stand before it.
 */
export function parseRegistryName(text: string, verb: string): ImageRef {
  const transport = /^(oci|oci-archive|dir|docker-archive|containers-storage|docker-daemon):/.exec(text)?.[1];
  if (transport !== undefined) {
    throw askedWrongly('image.transport', `tcf ${verb} cannot use ${transport}:, it works on a registry`, {
      hint: 'push the image and name it as registry/repository:tag',
    });
  }
  return parseImageRef(text.replace(/^docker:\/\//, ''));
}

/**
 * Asks the registry for the name, once. Whatever follows uses the digest that came back.
 *
 * @throws TcfError `image.missing` (exit 2).
 */
export async function resolveImage(registry: Store, ref: ImageRef): Promise<Fetched> {
  const fetched = await registry.manifest(ref, ref.digest ?? ref.tag ?? 'latest');
  if (fetched !== undefined) {
    return fetched;
  }
  throw cannotTell('image.missing', `the registry has no ${formatImageRef(ref)}`, {
    hint: 'check the name and the tag; a private repository may need a login first (podman login, docker login)',
  });
}

/** The platform of this machine, in the words of OCI. Images are for Linux. */
export function hostPlatform({ architecture }: Host): Platform {
  return { os: 'linux', architecture };
}
