import { resolve } from 'node:path';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { tagWarnings } from '../image/manifests.ts';
import type { Platform } from '../oci/manifest.ts';
import { type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { Fetched, Store } from '../registry/contract.ts';
import type { Host } from '../system/host.ts';
import { isLocalName, openLocalImage } from './local-image.ts';
import { resolveImageName } from './names.ts';
import { type Network, openUserRegistry } from './network.ts';
import { resolveImage } from './registries.ts';

/** Where an image and its signatures lie, and the name by which policies judge it. */
export interface ImagePlace {
  readonly store: Store;
  readonly ref: ImageRef;
  /** Whether asking costs requests, so that answers are worth keeping. */
  readonly isRemote: boolean;
  /** What the name leads to. The store is this one, or one that stands before it. */
  readonly resolve: (store: Store) => Promise<Fetched>;
  readonly warnings: () => Promise<readonly string[]>;
}

export interface ImagePlaceRequest {
  readonly image: string;
  readonly verb: string;
  /** Which engine reads the name; podman, with buildah and skopeo, where nothing is said. */
  readonly engine: 'docker' | 'podman' | undefined;
  readonly platform: Platform;
  readonly as: string | undefined;
  readonly network: Network;
}

/**
 * Finds the image that the user named: in a registry, or in an OCI layout where `--as` says which image it is
 * meant to be.
 *
 * @throws TcfError `verify.as` (exit 3), else as the registry and the layout do.
 */
export async function openPlace(host: Host, request: ImagePlaceRequest): Promise<ImagePlace> {
  const { as, image: name, network, verb } = request;
  if (name.startsWith('oci:') && verb !== 'run') {
    return await openLayoutPlace(host, request);
  }
  if (isLocalName(name) && as === undefined) {
    const { named, ref, store } = await openLocalImage(host, name);
    const warning = `${quoted(name)} never was in a registry: it is known by its digest on this machine alone`;
    return { store, ref, isRemote: false, resolve: async () => named, warnings: async () => [warning] };
  }
  if (as !== undefined) {
    throw askedWrongly('verify.as', `--as is for oci: layouts; ${quoted(name)} has a name already`);
  }
  const { config, ref } = await resolveImageName(host, name, verb, request.engine);
  const registry = await openUserRegistry(host, network, config);
  return {
    store: registry,
    ref,
    isRemote: true,
    resolve: (store) => resolveImage(store, ref),
    warnings: () => tagWarnings(registry, ref),
  };
}

async function openLayoutPlace(
  host: Host,
  { as, image: name, platform }: ImagePlaceRequest,
): Promise<ImagePlace> {
  // What reads layers is loaded for layouts only: a start from a registry must not wait for it.
  const [{ parseImageName }, { isOciLayoutName, layoutFiles }, { openLayoutStore }] = await Promise.all([
    import('../image/source.ts'),
    import('../image/from-oci.ts'),
    import('../image/layout-store.ts'),
  ]);
  const layout = parseImageName(name);
  // The names inside the layout are words of whoever packed it, so none of them chooses the scope.
  if (!isOciLayoutName(layout) || as === undefined) {
    throw askedWrongly('verify.as', `${quoted(name)} has no name that a policy could judge`, {
      hint: 'say which image it is meant to be: --as registry/repository',
    });
  }
  const ref = parseImageRef(as);
  const { named, store } = await openLayoutStore(
    layoutFiles(resolve(host.cwd, layout.directory)),
    layout.reference,
    platform,
    quoted(name),
  );
  const { digest } = named.descriptor;
  if (ref.digest !== undefined && ref.digest !== digest) {
    throw askedWrongly('verify.as', `${quoted(name)} is ${digest}, not ${quoted(as)}`);
  }
  return { store, ref, isRemote: false, resolve: async () => named, warnings: async () => [] };
}
