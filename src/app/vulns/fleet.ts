import { compact } from '../../base/compact.ts';
import { TcfError } from '../../base/error.ts';
import { inParallel } from '../../base/parallel.ts';
import { byCodeUnit } from '../../base/text.ts';
import { parseSbom, type SbomFacts } from '../../bom/read.ts';
import { formatPinnedRef, parseImageRef, pin } from '../../oci/reference.ts';
import type { Host } from '../../system/host.ts';
import { attestedSbom } from '../attested-sbom.ts';
import { openUserRegistry } from '../network.ts';
import { resolveImage } from '../registries.ts';
import type { VerifyRequest } from '../verify-image.ts';

export interface FleetRequest extends Omit<VerifyRequest, 'image' | 'as' | 'baseline'> {
  /** `registry/repository`, all of its tags; with a tag or a digest that one. */
  readonly from: readonly string[];
}

/** An image, under all tags that lead to it, and what a signer whom the policy trusts has attested of it. */
export type FleetImage = {
  /** `registry/repository@digest`. */
  readonly image: string;
  readonly tags: readonly string[];
} & (
  | { readonly sbom: SbomFacts }
  /** Nothing can be told about it. */
  | { readonly why: string }
);

/** Requests at a time; registries count them. */
const width = 8;

/**
 * The attested SBOMs of all images of some repositories. No image is read: what nobody has attested cannot be
 * told.
 *
 * @throws TcfError `registry.*`, `image.missing` (exit 2), where a repository cannot be listed.
 */
export async function fleetOf(
  host: Host,
  { from, ...request }: FleetRequest,
): Promise<readonly FleetImage[]> {
  const found = new Map<string, string[]>();
  const registry = await openUserRegistry(host, request.network);
  for (const name of from) {
    const ref = parseImageRef(name);
    // A name without tag and digest means all of them here, and not "latest".
    const isOne = /@|:[^/]*$/.test(name);
    // Lists of referrers are tags too, where a registry has no API for them.
    const tags = isOne
      ? [ref.tag]
      : (await registry.tags(ref)).filter((tag) => !/^sha256-[0-9a-f]{64}/.test(tag));
    const digests = await inParallel(tags, width, async (tag) => {
      const { descriptor } = await resolveImage(registry, isOne ? ref : { ...ref, ...compact({ tag }) });
      return formatPinnedRef(pin(ref, descriptor.digest));
    });
    for (const [at, image] of digests.entries()) {
      const tag = tags[at];
      found.set(image, [...(found.get(image) ?? []), ...(tag === undefined ? [] : [tag])]);
    }
  }
  const images = [...found].sort(([a], [b]) => byCodeUnit(a, b));
  return await inParallel(
    images,
    width,
    async ([image, tags]) => await attested(host, image, tags.sort(byCodeUnit), request),
  );
}

async function attested(
  host: Host,
  image: string,
  tags: readonly string[],
  request: Omit<FleetRequest, 'from'>,
): Promise<FleetImage> {
  try {
    const { sbom } = await attestedSbom(host, { ...request, image });
    return sbom === undefined
      ? { image, tags, why: 'the policy does not allow it' }
      : { image, tags, sbom: parseSbom(sbom.document, `the attested SBOM of ${image}`) };
  } catch (error) {
    // One image that cannot be judged costs no other its answer.
    if (error instanceof TcfError && error.exit === 2) {
      return { image, tags, why: error.message };
    }
    throw error;
  }
}
