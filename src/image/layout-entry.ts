import { askedWrongly, cannotTell, TcfError } from '../base/error.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import type { Descriptor, Index, Platform } from '../oci/manifest.ts';
import { parseImageRef } from '../oci/reference.ts';
import { choosePlatform, isImage, platformKey } from './platform.ts';

export const refName = 'org.opencontainers.image.ref.name';
/** Where containerd and docker write the whole name; `refName` is the tag only. */
const containerdName = 'io.containerd.image.name';
/** The fallback tag of referrers, and the tags of cosign 2. */
const companionTag = /^sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?$/;
/** Names that a hint lists. */
const maxNames = 20;

/**
 * The entry of `index.json` that is meant: by its name, by its number (`@N`), or the only image. One digest
 * under two names is one image. Entries are the platforms of one image only where they have one name, or
 * none, and each another platform: `docker save A B` writes two images with a platform each.
 *
 * @throws TcfError `image.missing`, `image.platform` (exit 2), `image.ambiguous` (exit 3).
 */
export function chooseEntry(
  index: Index,
  reference: string | undefined,
  platform: Platform,
  what: string,
): Descriptor {
  const fitting = distinct(fittingEntries(index, reference));
  const [first, ...more] = fitting;
  if (first === undefined) {
    throw cannotTell('image.missing', `${what} holds no image of that name`, { hint: hintOf(index) });
  }
  if (more.length === 0) {
    return first;
  }
  if (arePlatforms(fitting)) {
    return choosePlatform({ ...index, manifests: fitting }, platform, what);
  }
  throw askedWrongly('image.ambiguous', `${what} holds ${fitting.length} images that fit`, {
    hint: hintOf(index),
  });
}

/** `registry/repository` of an entry whose name has one: a tag alone says nothing about it. */
export function repositoryOf({ annotations = {} }: Descriptor): string | undefined {
  const name = annotations[containerdName] ?? annotations[refName] ?? '';
  if (!/[/:]/.test(name)) {
    return undefined;
  }
  try {
    const { registry, repository } = parseImageRef(name);
    return `${registry}/${repository}`;
  } catch (error) {
    // The annotation may hold anything.
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}

function fittingEntries({ manifests }: Index, reference: string | undefined): readonly Descriptor[] {
  const position = /^@(\d{1,6})$/.exec(reference ?? '')?.[1];
  if (position !== undefined) {
    return manifests.slice(Number(position), Number(position) + 1);
  }
  return manifests.filter((entry) => {
    if (reference === undefined) {
      return !isCompanion(entry) && isImage(entry);
    }
    return namesOf(entry).includes(reference);
  });
}

function distinct(entries: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map([...entries].reverse().map((entry) => [entry.digest, entry])).values()].reverse();
}

function arePlatforms(entries: readonly Descriptor[]): boolean {
  const names = new Set(entries.map((entry) => namesOf(entry).join('\n')));
  const platforms = new Set(entries.map(({ platform }) => platform && platformKey(platform)));
  return names.size === 1 && platforms.size === entries.length && !platforms.has(undefined);
}

/**
 * What was said about an image and lies beside it, as `tcf copy` and `oras` list it: never what is meant
 * where nothing was named.
 */
function isCompanion({ annotations, artifactType }: Descriptor): boolean {
  return artifactType !== undefined || companionTag.test(annotations?.[refName] ?? '');
}

function namesOf({ annotations = {} }: Descriptor): readonly string[] {
  return [annotations[refName], annotations[containerdName]].filter((name) => name !== undefined);
}

/** Only names that lead to one image help. */
function hintOf({ manifests }: Index): string {
  const digests = new Map<string, Set<string>>();
  for (const entry of manifests.filter((one) => !isCompanion(one))) {
    for (const name of namesOf(entry)) {
      digests.set(name, (digests.get(name) ?? new Set()).add(entry.digest));
    }
  }
  const names = [...digests].filter(([, { size }]) => size === 1).map(([name]) => name);
  const list = names
    .sort(byCodeUnit)
    .slice(0, maxNames)
    .map((name) => printable(name, 100));
  return list.length === 0
    ? 'choose one by its number: append :@0, :@1 and so on'
    : `append one of its names: :${list.join(', :')}`;
}
