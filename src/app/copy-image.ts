import { resolve } from 'node:path';
import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { isOciLayoutName, layoutFiles } from '../image/from-oci.ts';
import { isRegistryName } from '../image/from-registry.ts';
import { layoutRepository, openLayoutStore } from '../image/layout-store.ts';
import { openLayoutWriter } from '../image/layout-writer.ts';
import { isBareName, parseImageName } from '../image/source.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPinnedRef, type ImageRef, pin } from '../oci/reference.ts';
import type { Fetched, Registry, Repository, Store } from '../registry/contract.ts';
import { type Copied, type CopyTarget, copyContent } from '../registry/copy.ts';
import { registryTarget } from '../registry/copy-target.ts';
import { withoutMirrors } from '../registry/endpoints.ts';
import type { RegistriesConfig } from '../registry/registries-config.ts';
import { loadRegistriesConfig } from '../registry/registries-files.ts';
import { resolveName } from '../registry/short-names.ts';
import type { Host } from '../system/host.ts';
import { refuseFileName } from './file-names.ts';
import { type Network, openUserRegistry } from './network.ts';
import { hostPlatform, resolveImage } from './registries.ts';
import { blobsWithProgress } from './waiting.ts';

export interface CopyRequest {
  /** `registry/repository[:tag][@digest]` or `oci:DIR[:TAG]`. */
  readonly from: string;
  /** The same. */
  readonly to: string;
  readonly network?: Network;
}

export interface CopiedImage extends Copied {
  /** `registry/repository@digest`, or the digest in a layout. */
  readonly name: string;
}

/**
 * Copies an image, or an index with all its platforms, byte for byte, and everything that refers to it.
 * Signatures are copied, not verified.
 *
 * @throws TcfError `image.transport`, `copy.digest`, `copy.name` (exit 3), and as registry and layout do.
 */
export async function copyImage(
  host: Host,
  { from: fromText, network, to: toText }: CopyRequest,
): Promise<CopiedImage> {
  const config = await loadRegistriesConfig(host);
  const from = parsePlace(host, fromText, config);
  const to = parsePlace(host, toText, config);
  const source = await openUserRegistry(host, network, config);
  // A copy is written where it was asked for, and not to a mirror of that.
  const registry = await openUserRegistry(host, network, withoutMirrors(config));
  const { image, repository, store } = await openSource(host, source, from, fromText);
  const { digest } = image.descriptor;
  if (to.kind === 'registry' && (to.ref.digest ?? digest) !== digest) {
    throw askedWrongly('copy.digest', `${quoted(fromText)} is ${digest}, not ${quoted(toText)}`, {
      hint: 'a copy keeps its digest: leave it out, or name the source by it',
    });
  }
  const copied = await copyContent(store, repository, image, await openTarget(host, registry, from, to));
  return { ...copied, name: nameOf(to, digest) };
}

type Place =
  | { readonly kind: 'registry'; readonly ref: ImageRef }
  | { readonly kind: 'layout'; readonly directory: string; readonly reference?: string };

function parsePlace(host: Host, text: string, config: RegistriesConfig): Place {
  const name = parseImageName(text);
  if (isBareName(name)) {
    refuseFileName(host, text);
    return { kind: 'registry', ref: resolveName(name.name, config).ref };
  }
  if (isRegistryName(name)) {
    return { kind: 'registry', ref: name.ref };
  }
  if (isOciLayoutName(name)) {
    const { directory, reference } = name;
    return compact({ kind: 'layout' as const, directory, reference });
  }
  throw askedWrongly('image.transport', `tcf copy cannot use ${name.transport}:`, {
    hint: 'only registries and oci: layouts hold signatures beside images',
  });
}

interface Source {
  readonly store: Store;
  readonly repository: Repository;
  readonly image: Fetched;
}

async function openSource(host: Host, registry: Registry, from: Place, text: string): Promise<Source> {
  if (from.kind === 'registry') {
    return { store: registry, repository: from.ref, image: await resolveImage(registry, from.ref) };
  }
  const { named, store } = await openLayoutStore(
    layoutFiles(resolve(host.cwd, from.directory)),
    from.reference,
    hostPlatform(host),
    quoted(text),
  );
  const watched = { ...store, blob: blobsWithProgress(host, (at, blob) => store.blob(at, blob)) };
  return { store: watched, repository: layoutRepository, image: named };
}

async function openTarget(host: Host, registry: Registry, from: Place, to: Place): Promise<CopyTarget> {
  if (to.kind === 'layout') {
    // `@N` is how an entry of a layout is chosen, so it cannot be given as a name.
    if (to.reference?.startsWith('@')) {
      throw askedWrongly('copy.name', `${quoted(to.reference)} cannot be the name of an image in a layout`);
    }
    return await openLayoutWriter(resolve(host.cwd, to.directory), to.reference);
  }
  const isNear = from.kind === 'registry' && from.ref.registry === to.ref.registry;
  const mountable = isNear && from.ref.repository !== to.ref.repository ? from.ref : undefined;
  return registryTarget(registry, to.ref, to.ref.tag, mountable);
}

function nameOf(place: Place, digest: Digest): string {
  return place.kind === 'registry' ? formatPinnedRef(pin(place.ref, digest)) : digest;
}
