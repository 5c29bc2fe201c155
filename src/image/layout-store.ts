import { type Bytes, collect } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { jsonLimits } from '../base/json.ts';
import { byCodeUnit } from '../base/text.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { type Descriptor, type Index, type Platform, parseManifest } from '../oci/manifest.ts';
import type { Fetched, Repository, Store } from '../registry/contract.ts';
import { fallbackTag } from '../registry/fallback-list.ts';
import type { OpenImage } from './contract.ts';
import { openFromStore } from './from-store.ts';
import { type LayoutFiles, layoutBlob, locateBlob, readLayoutIndex } from './layout.ts';
import { chooseEntry, refName, repositoryOf } from './layout-entry.ts';

/** An OCI image layout with all that refers to its images, asked as a registry is asked. */
export interface LayoutStore {
  readonly store: Store;
  /** The image that `reference` names, as `chooseEntry` understands it. */
  readonly named: Fetched;
  /** `registry/repository`, where the layout has a whole name for it. Words of whoever packed it. */
  readonly repository?: string;
}

/** A layout holds one repository, which has no name. */
export const layoutRepository: Repository = { registry: '', repository: '' };

/**
 * Opens an image of an OCI image layout, and closes the layout with it.
 *
 * @throws TcfError as `openLayoutStore` and `openFromStore`.
 */
export async function openLayout(
  files: LayoutFiles,
  reference: string | undefined,
  platform: Platform,
  what: string,
): Promise<OpenImage> {
  const { named, repository, store } = await openLayoutStore(files, reference, platform, what);
  const locate = (blob: Descriptor) => locateBlob(files, blob, `blob ${blob.digest} of ${what}`);
  const image = await openFromStore(store, {
    repository: layoutRepository,
    named,
    platform,
    what,
    locate,
  });
  return {
    ...image,
    ...compact({ repository }),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

/**
 * Opens a layout as a store of images and of what was signed about them. A referrer is an entry of
 * `index.json` whose manifest has the image as its `subject` (as `oras` and `tcf copy` write it), or stands
 * in the index that has the fallback tag as its name (as `regctl` writes it).
 *
 * @throws TcfError (exit 2): not a layout, no such image, content that is not what its descriptor says;
 *   `image.ambiguous` (exit 3).
 */
export async function openLayoutStore(
  files: LayoutFiles,
  reference: string | undefined,
  platform: Platform,
  what: string,
): Promise<LayoutStore> {
  const index = await readLayoutIndex(files, what);

  const read = async (descriptor: Descriptor): Promise<Fetched> => {
    const name = `manifest ${descriptor.digest} of ${what}`;
    const bytes = await collect(layoutBlob(files, descriptor, name), jsonLimits.manifest.maxBytes, name);
    return { bytes, descriptor, document: parseManifest(bytes, descriptor.mediaType, name) };
  };

  // A layout finds content by descriptor; whoever listed a digest told its size and type.
  const listed = new Map(index.manifests.map((entry) => [entry.digest, entry]));
  const known = async (entry: Descriptor): Promise<Fetched> => {
    const fetched = await read(entry);
    if (fetched.document.kind === 'index') {
      for (const child of fetched.document.manifests) {
        listed.set(child.digest, child);
      }
    }
    return fetched;
  };

  // Each entry is read once, however many are asked for: a copy asks about every manifest.
  let attached: Promise<ReadonlyMap<Digest, readonly Descriptor[]>> | undefined;
  const attachedTo = async (subject: Digest): Promise<readonly Descriptor[]> => {
    attached ??= bySubject(index.manifests, known);
    return (await attached).get(subject) ?? [];
  };

  const store: Store = {
    manifest: async (_, wanted) => {
      const entry = isDigest(wanted) ? listed.get(wanted) : entryNamed(index, wanted);
      return entry === undefined ? undefined : await known(entry);
    },
    blob: (_, descriptor): Bytes => layoutBlob(files, descriptor, `blob ${descriptor.digest} of ${what}`),
    referrers: async (_, subject) => {
      const found = new Map<Digest, Descriptor>();
      const tagged = entryNamed(index, fallbackTag(subject));
      const tag = tagged === undefined ? undefined : await known(tagged);
      if (tag?.document.kind === 'index') {
        for (const entry of tag.document.manifests) {
          found.set(entry.digest, entry);
        }
      }
      for (const entry of await attachedTo(subject)) {
        if (!found.has(entry.digest)) {
          found.set(entry.digest, entry);
        }
      }
      return [...found.values()].sort((a, b) => byCodeUnit(a.digest, b.digest));
    },
  };
  const entry = chooseEntry(index, reference, platform, what);
  const repository = repositoryOf(entry);
  return compact({ store, named: await known(entry), repository });
}

function entryNamed({ manifests }: Index, name: string): Descriptor | undefined {
  return manifests.find(({ annotations }) => annotations?.[refName] === name);
}

async function bySubject(
  entries: readonly Descriptor[],
  read: (entry: Descriptor) => Promise<Fetched>,
): Promise<ReadonlyMap<Digest, readonly Descriptor[]>> {
  const groups = new Map<Digest, Descriptor[]>();
  for (const entry of entries) {
    const subject = (await read(entry)).document.subject?.digest;
    if (subject !== undefined) {
      groups.set(subject, [...(groups.get(subject) ?? []), entry]);
    }
  }
  return groups;
}
