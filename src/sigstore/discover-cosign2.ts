import { cosign2Types } from '../attest/cosign2.ts';
import { inParallel } from '../base/parallel.ts';
import { algorithmOf, type Digest, hexOf } from '../oci/digest.ts';
import type { Descriptor, Manifest } from '../oci/manifest.ts';
import type { Repository, Store } from '../registry/contract.ts';
import {
  type BundleBudget,
  discoverLimits,
  type FoundBundle,
  fetchWithin,
  refuse,
  refuseContentFaults,
} from './found-bundle.ts';

/**
 * The artifact type of a `.sig` or `.att` image that cosign 2 attached as a referrer, with its experimental
 * OCI 1.1 mode.
 */
export const cosign2Artifact: RegExp = /^application\/vnd\.dev\.cosign\.artifact\.(?:att|sig)\.v1\+json$/;

/** Ends of the tags: signatures and attestations. */
export type Cosign2Kind = 'att' | 'sig';

/**
 * Finds the signatures of cosign 1 and 2 for `subjects`: the images at the tags `sha256-<hex>.sig` and
 * `.att`, with one signature for each layer.
 *
 * @throws as `discoverBundles`; a tag that is not there is no error.
 */
export async function discoverCosign2(
  store: Store,
  repository: Repository,
  kinds: readonly Cosign2Kind[],
  ...subjects: readonly Digest[]
): Promise<readonly FoundBundle[]> {
  const budget = { left: discoverLimits.totalBytes };
  const found: FoundBundle[] = [];
  // A tag has at most 128 characters, so there is none for a SHA-512.
  for (const subject of [...new Set(subjects)].filter((digest) => algorithmOf(digest) === 'sha256')) {
    for (const kind of kinds) {
      const tag = `sha256-${hexOf(subject)}.${kind}`;
      found.push(...(await refuseContentFaults(subject, () => openTag(store, repository, tag, budget))));
    }
  }
  return found;
}

async function openTag(
  store: Store,
  repository: Repository,
  tag: string,
  budget: BundleBudget,
): Promise<readonly FoundBundle[]> {
  const fetched = await store.manifest(repository, tag);
  if (fetched === undefined) {
    return [];
  }
  const { descriptor, document } = fetched;
  if (document.kind === 'index') {
    return [refuse(descriptor.digest, 'bundle.layers', `the tag ${tag} holds an index`)];
  }
  return await openLayers(store, repository, descriptor.digest, document, budget);
}

/** The same bytes signed by several people are one blob in several layers, and are fetched once. */
export async function openLayers(
  store: Store,
  repository: Repository,
  source: Digest,
  { layers }: Manifest,
  budget: BundleBudget,
): Promise<readonly FoundBundle[]> {
  const blobs = new Map(layers.filter(isCosign2Layer).map((layer) => [layer.digest, layer]));
  const fetched = new Map(
    await inParallel([...blobs.values()], discoverLimits.parallel, async (blob) => {
      const content = await refuseContentFaults(source, async () => {
        if (blob.size > discoverLimits.bundleBytes) {
          return [refuse(source, 'bundle.too-large', `its payload has ${blob.size} bytes`)];
        }
        return await fetchWithin(store, repository, blob, budget);
      });
      return [blob.digest, content] as const;
    }),
  );
  return layers
    .filter(isCosign2Layer)
    .flatMap(({ annotations = {}, digest, mediaType }): readonly FoundBundle[] => {
      const content = fetched.get(digest);
      if (content === undefined) {
        return [];
      }
      if (!(content instanceof Uint8Array)) {
        return content;
      }
      return [{ ok: true, source, layer: { mediaType, content, annotations } }];
    });
}

/** A signature, or an attestation in its envelope. */
export function isCosign2Layer({ mediaType }: Descriptor): boolean {
  return mediaType === cosign2Types.simpleSigning || mediaType === cosign2Types.envelope;
}
