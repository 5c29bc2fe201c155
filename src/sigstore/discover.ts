import { jsonLimits } from '../base/json.ts';
import { inParallel } from '../base/parallel.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, Manifest } from '../oci/manifest.ts';
import type { Repository, Store } from '../registry/contract.ts';
import { cosign2Artifact, isCosign2Layer, openLayers } from './discover-cosign2.ts';
import {
  type BundleBudget,
  discoverLimits,
  type FoundBundle,
  fetchWithin,
  refuse,
  refuseContentFaults,
} from './found-bundle.ts';

/** `application/vnd.dev.sigstore.bundle.v0.3+json`, `...bundle+json;version=0.1`. */
const bundlePrefix = 'application/vnd.dev.sigstore.bundle';

/**
 * Finds the bundles that refer to each of `subjects` (an index and its manifest for a platform, say), each
 * bundle once. What the list of referrers says about them is a stranger's hint: every manifest is fetched,
 * and its layer decides (docker/buildx#4010: descriptors without artifact type). A referrer that cannot be
 * read does not count, and never hides a good one. Artifacts of other kinds are left out.
 *
 * @throws TcfError `registry.*`, `content.digest`, `bytes.too-large` (exit 2) when the registry cannot be
 *   asked: that is never "unsigned".
 */
export async function discoverBundles(
  store: Store,
  repository: Repository,
  ...subjects: readonly Digest[]
): Promise<readonly FoundBundle[]> {
  const referrers: Descriptor[] = [];
  for (const subject of new Set(subjects)) {
    referrers.push(...(await store.referrers(repository, subject)));
  }
  const sources = [...new Map(referrers.map((descriptor) => [descriptor.digest, descriptor])).values()];
  const budget = { left: discoverLimits.totalBytes };
  const found = await inParallel(sources, discoverLimits.parallel, (source) =>
    openReferrer(store, repository, source, budget),
  );
  return found.flat();
}

/** None: an artifact of another kind. */
async function openReferrer(
  store: Store,
  repository: Repository,
  descriptor: Descriptor,
  budget: BundleBudget,
): Promise<readonly FoundBundle[]> {
  const source = descriptor.digest;
  // A registry takes any size in the fallback tag's index; the document itself would end the whole question
  // at the limit.
  if (descriptor.size > jsonLimits.manifest.maxBytes) {
    return [refuse(source, 'bundle.too-large', `its manifest has ${descriptor.size} bytes`)];
  }
  return await refuseContentFaults(source, async () => {
    const fetched = await store.manifest(repository, source);
    if (fetched === undefined) {
      return [refuse(source, 'bundle.missing', 'it is listed but not there')];
    }
    const { document } = fetched;
    if (document.kind === 'index') {
      return [];
    }
    // cosign 2 with its experimental OCI 1.1 mode: the image of a `.sig` tag, as a referrer. It writes the
    // type into the configuration only.
    const type = document.artifactType ?? document.config.mediaType;
    if (cosign2Artifact.test(type) || document.layers.some(isCosign2Layer)) {
      return await openLayers(store, repository, source, document, budget);
    }
    if (!speaksOfBundle(document)) {
      return [];
    }
    const [layer, ...others] = document.layers;
    if (layer === undefined || others.length > 0) {
      return [refuse(source, 'bundle.layers', `it has ${document.layers.length} layers, not exactly one`)];
    }
    if (!layer.mediaType.startsWith(bundlePrefix)) {
      return [refuse(source, 'bundle.layers', `its layer is ${quoted(layer.mediaType)}, not a bundle`)];
    }
    if (layer.size > discoverLimits.bundleBytes) {
      return [refuse(source, 'bundle.too-large', `its bundle has ${layer.size} bytes`)];
    }
    return [{ ok: true, source, bundle: await fetchWithin(store, repository, layer, budget) }];
  });
}

function speaksOfBundle({ artifactType, config, layers }: Manifest): boolean {
  const types = [
    artifactType,
    config.mediaType,
    config.artifactType,
    ...layers.map(({ mediaType }) => mediaType),
  ];
  return types.some((type) => type?.startsWith(bundlePrefix));
}
