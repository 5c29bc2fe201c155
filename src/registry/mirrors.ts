import type { Bytes } from '../base/bytes.ts';
import { TcfError } from '../base/error.ts';
import { isDigest } from '../oci/digest.ts';
import type { Registry, Repository } from './contract.ts';
import { endpointsOf } from './endpoints.ts';
import type { RegistriesConfig } from './registries-config.ts';

/**
 * The registry, read where registries.conf says that its content is. Names stay what they were: policies
 * judge the name that was asked, and content is checked against its digest wherever it comes from. Nothing is
 * written to a mirror.
 */
export function withMirrors(registry: Registry, config: RegistriesConfig): Registry {
  if (config.registries.length === 0) {
    return registry;
  }
  const byTag = new Map<string, Repository>();
  /** A mirror for tags only has what its tag led to; podman goes on reading there too. */
  const placesOf = (at: Repository, reference: string): readonly Repository[] => {
    const places = endpointsOf(at, reference, config);
    const led = byTag.get(nameOf(at));
    return led === undefined || places.some((place) => nameOf(place) === nameOf(led))
      ? places
      : places.toSpliced(-1, 0, led);
  };
  return {
    ...registry,
    manifest: (repository, reference) =>
      firstOf(
        placesOf(repository, reference),
        async (at) => {
          const found = await registry.manifest(at, reference);
          if (found !== undefined && !isDigest(reference)) {
            byTag.set(nameOf(repository), at);
          }
          return found;
        },
        isFound,
      ),
    // A mirror may have the image without its signatures, so an empty list decides only at the end.
    referrers: async (repository, subject) =>
      await firstOf(placesOf(repository, subject), (at) => registry.referrers(at, subject), isFilled),
    blob: (repository, blob) => firstBlob(placesOf(repository, blob.digest), (at) => registry.blob(at, blob)),
  };
}

const nameOf = ({ registry, repository }: Repository): string => `${registry}/${repository}`;
const isFound = (found: unknown) => found !== undefined;
const isFilled = (found: readonly unknown[]) => found.length > 0;

/** The first good answer; the answer or the error of the last place where there is none. */
async function firstOf<T>(
  places: readonly Repository[],
  ask: (at: Repository) => Promise<T>,
  isGood: (answer: T) => boolean,
): Promise<T> {
  const [last, ...before] = places.toReversed();
  for (const at of before.reverse()) {
    const answer = await ask(at).catch(missedBy);
    if (answer !== undefined && isGood(answer)) {
      return answer;
    }
  }
  if (last === undefined) {
    throw new Error('a name without a place');
  }
  return await ask(last);
}

async function* firstBlob(places: readonly Repository[], open: (at: Repository) => Bytes): Bytes {
  for (const [index, at] of places.entries()) {
    let begun = false;
    try {
      for await (const chunk of open(at)) {
        begun = true;
        yield chunk;
      }
      return;
    } catch (error) {
      // What was given away cannot be taken back.
      if (begun || index === places.length - 1) {
        throw error;
      }
      missedBy(error);
    }
  }
}

/**
 * A mirror that does not have it, does not let us in or does not answer is passed over; what it says wrongly
 * is, too.
 */
function missedBy(error: unknown): undefined {
  if (!(error instanceof TcfError)) {
    throw error;
  }
  return undefined;
}
