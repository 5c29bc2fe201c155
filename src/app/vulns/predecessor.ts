import { TcfError } from '../../base/error.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPinnedRef, type ImageRef, pin } from '../../oci/reference.ts';
import { isSystemError } from '../../system/errors.ts';
import type { Host } from '../../system/host.ts';
import { entryNumbers, readEntry } from '../decision-log.ts';
import { openUserRegistry } from '../network.ts';
import { openPlace } from '../place.ts';
import { hostPlatform, resolveImage } from '../registries.ts';
import type { VerifyRequest } from '../verify-image.ts';

/** Entries of the log that are read for it, newest first. */
const maxEntries = 2000;

/**
 * Which images came before this one under its name, the likeliest first: what its tag leads to in the
 * registry, where the name says tag and digest (`dev:latest@sha256:...`, or `--as` for a layout) and the tag
 * leads elsewhere; and what `tcf gate` has allowed last by this name on this machine. Nobody has proven
 * either: whoever uses one asks the policies about it.
 */
export async function predecessorsOf(host: Host, request: VerifyRequest): Promise<readonly string[]> {
  const { as, engine, image, network = {}, platform = hostPlatform(host) } = request;
  const place = await openPlace(host, { image, verb: 'gate', platform, as, engine, network });
  if (place.ref.tag === undefined) {
    return [];
  }
  const own = (await place.resolve(place.store)).descriptor.digest;
  const isTagAside = !place.isRemote || place.ref.digest !== undefined;
  return [
    ...(isTagAside ? await behindTag(host, place.ref, own, network) : []),
    ...(await lastAllowed(host, place.ref, own)),
  ];
}

async function behindTag(
  host: Host,
  { digest: _, ...ref }: ImageRef,
  own: Digest,
  network: VerifyRequest['network'],
): Promise<readonly string[]> {
  try {
    const { descriptor } = await resolveImage(await openUserRegistry(host, network), ref);
    return descriptor.digest === own ? [] : [formatPinnedRef(pin(ref, descriptor.digest))];
  } catch (error) {
    // The first image under a name has none before it.
    if (error instanceof TcfError && error.exit === 2) {
      return [];
    }
    throw error;
  }
}

/** An image that was denied is no baseline: what it brought would be accepted in the next one. */
async function lastAllowed(host: Host, ref: ImageRef, own: Digest): Promise<readonly string[]> {
  try {
    for (const number of entryNumbers(host).toReversed().slice(0, maxEntries)) {
      const { logged } = await readEntry(host, number);
      if (logged.kind !== 'decision') {
        continue;
      }
      const { asked, image, verb, verdict } = logged.entry;
      const isGate = verb === 'gate' && verdict === 'allow' && image !== undefined;
      if (isGate && !image.endsWith(`@${own}`) && isSameName(asked, image, ref)) {
        return [image];
      }
    }
  } catch (error) {
    // A log that cannot be read says nothing, and stops no gate.
    if (!(error instanceof TcfError) && !isSystemError(error)) {
      throw error;
    }
  }
  return [];
}

/** Tags of one repository are different images: what came before `cuda` says nothing of `cpu`. */
function isSameName(asked: string, image: string, { registry, repository, tag }: ImageRef): boolean {
  const named = /:([^/:@]+)(?:@[^@]*)?$/.exec(asked.replace(/@.*$/, ''))?.[1];
  return image.startsWith(`${registry}/${repository}@`) && (named ?? 'latest') === tag;
}
