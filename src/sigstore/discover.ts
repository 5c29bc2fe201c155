import { collect } from '../base/bytes.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, Manifest } from '../oci/manifest.ts';
import type { Registry, Repository } from '../registry/contract.ts';

/** Something that says it is a bundle about an image: its bytes, or why there are none. Nothing is proven yet. */
export type Candidate =
  | { readonly ok: true; readonly source: Digest; readonly bundle: Uint8Array }
  | {
      readonly ok: false;
      /** The manifest that refers to the image. */
      readonly source: Digest;
      readonly code: string;
      readonly reason: string;
    };

export const discoverLimits: Readonly<Record<'bundleBytes' | 'totalBytes' | 'parallel', number>> = {
  /** As much as the parser of bundles takes. */
  bundleBytes: jsonLimits.bundle.maxBytes,
  /** All bundles of one image together, which stay in memory until the decision; a hundred signed SBOMs of a large image fit. */
  totalBytes: 512 * 1024 * 1024,
  /** Requests at once: enough to hide latency, few enough not to be throttled. */
  parallel: 4,
};

/** `application/vnd.dev.sigstore.bundle.v0.3+json`, `...bundle+json;version=0.1`. */
const bundlePrefix = 'application/vnd.dev.sigstore.bundle';

/**
 * Finds the bundles that refer to each of `subjects` (an index and its manifest for a platform, say), each bundle once. What the list of referrers says
 * about them is a stranger's hint: every manifest is fetched, and its layer decides (docker/buildx#4010: descriptors without artifact
 * type). A candidate that cannot be read is one that does not count, and never hides a good one. Artifacts of other kinds are
 * left out.
 *
 * @throws TcfError `registry.*`, `content.digest`, `bytes.too-large` (exit 2) when the registry cannot be asked: that is never "unsigned".
 */
export async function discoverBundles(
  registry: Registry,
  repository: Repository,
  ...subjects: readonly Digest[]
): Promise<readonly Candidate[]> {
  const referrers: Descriptor[] = [];
  for (const subject of new Set(subjects)) referrers.push(...(await registry.referrers(repository, subject)));
  const sources = [...new Map(referrers.map((descriptor) => [descriptor.digest, descriptor])).values()];
  const budget = { left: discoverLimits.totalBytes };
  const candidates = await inParallel(sources, discoverLimits.parallel, (source) =>
    openCandidate(registry, repository, source, budget),
  );
  return candidates.filter((candidate) => candidate !== undefined);
}

interface Budget {
  left: number;
}

/** `undefined`: an artifact of another kind. */
async function openCandidate(
  registry: Registry,
  repository: Repository,
  descriptor: Descriptor,
  budget: Budget,
): Promise<Candidate | undefined> {
  const source = descriptor.digest;
  const junk = (code: string, reason: string): Candidate => ({ ok: false, source, code, reason });
  // A registry takes any size in the fallback tag's index; the document itself would end the whole question at the limit.
  if (descriptor.size > jsonLimits.manifest.maxBytes)
    return junk('candidate.too-large', `its manifest has ${descriptor.size} bytes`);
  try {
    const fetched = await registry.manifest(repository, source);
    if (fetched === undefined) return junk('candidate.missing', 'it is listed but not there');
    if (fetched.document.kind === 'index' || !speaksOfBundle(fetched.document)) return undefined;
    const [layer, ...others] = fetched.document.layers;
    if (layer === undefined || others.length > 0)
      return junk('candidate.layers', `it has ${fetched.document.layers.length} layers, not exactly one`);
    if (!layer.mediaType.startsWith(bundlePrefix))
      return junk('candidate.layers', `its layer is ${quoted(layer.mediaType)}, not a bundle`);
    if (layer.size > discoverLimits.bundleBytes)
      return junk('candidate.too-large', `its bundle has ${layer.size} bytes`);
    budget.left -= layer.size;
    if (budget.left < 0) {
      throw cannotTell(
        'registry.limit',
        `the bundles of this image have more than ${discoverLimits.totalBytes} bytes together`,
      );
    }
    const bundle = await collect(registry.blob(repository, layer), discoverLimits.bundleBytes, 'the bundle');
    return { ok: true, source, bundle };
  } catch (error) {
    if (error instanceof TcfError && isTheirs(error)) return junk(error.code, error.message);
    throw error;
  }
}

/** Whether whoever pushed the candidate could have caused this, rather than the registry or the network. */
function isTheirs({ code }: TcfError): boolean {
  // A registry checks the digest of what is pushed to it, but hardly any checks the sizes in a manifest, and some not even that its blobs are there.
  return (
    code === 'content.size' ||
    code === 'registry.missing' ||
    /^(?:json|manifest|document|digest)\./.test(code)
  );
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

/** Maps in the order of `items`, at most `width` at once. The first error ends it. */
async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const work = async () => {
    while (next < items.length && !failed) {
      const at = next;
      next += 1;
      const item = items[at];
      if (item === undefined) continue;
      try {
        results[at] = await map(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
