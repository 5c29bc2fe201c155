import { cannotTell, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Descriptor, Manifest, Platform } from '../oci/manifest.ts';
import type { ImageRef } from '../oci/reference.ts';
import type { Fetched, Store } from '../registry/contract.ts';
import { choosePlatform, formatPlatform } from './platform.ts';

/** An index in an index exists (nested by build farms); deeper is a maze. */
export const maxNesting = 1;

/** What a tag or digest leads to. @throws TcfError `image.missing` (exit 2). */
export async function fetchNamed(
  registry: Store,
  ref: ImageRef,
  reference: string,
  what: string,
): Promise<Fetched> {
  const fetched = await registry.manifest(ref, reference);
  if (fetched !== undefined) {
    return fetched;
  }
  throw cannotTell('image.missing', `the registry has no ${what}`, {
    hint: 'check the name; some registries say so as well when you are not logged in',
  });
}

/**
 * Follows an index to the manifest for a platform. `named` is what the reference led to.
 *
 * @throws TcfError (exit 2).
 */
export async function chooseManifest(
  registry: Store,
  ref: ImageRef,
  named: Fetched,
  platform: Platform,
  what: string,
): Promise<{ readonly bytes: Uint8Array; readonly descriptor: Descriptor; readonly manifest: Manifest }> {
  let { bytes, descriptor, document } = named;
  for (let nesting = 0; document.kind === 'index'; nesting += 1) {
    if (nesting > maxNesting) {
      throw cannotTell('image.nesting', `${what} is an index in an index in an index`);
    }
    const chosen = choosePlatform(document, platform, what);
    const fetched = await fetchNamed(registry, ref, chosen.digest, `${what} for ${formatPlatform(platform)}`);
    if (fetched.descriptor.size !== chosen.size || fetched.descriptor.mediaType !== chosen.mediaType) {
      throw cannotTell(
        'image.descriptor',
        `${what}: manifest ${chosen.digest} is not what the index says of it`,
      );
    }
    ({ bytes, descriptor, document } = fetched);
  }
  return { bytes, descriptor, manifest: document };
}

/**
 * Where the tag beside a digest leads by now. It changes nothing, so a failure to find out changes nothing
 * either.
 */
export async function tagWarnings(registry: Store, ref: ImageRef): Promise<readonly string[]> {
  const { tag, digest } = ref;
  if (tag === undefined || digest === undefined) {
    return [];
  }
  const kept = `${digest} is used`;
  try {
    const tagged = await registry.manifest(ref, tag);
    if (tagged?.descriptor.digest === digest) {
      return [];
    }
    return [`tag ${quoted(tag)} ${tagged ? `leads to ${tagged.descriptor.digest}` : 'is gone'}; ${kept}`];
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    return [`could not see where tag ${quoted(tag)} leads (${error.message}); ${kept}`];
  }
}
