import type { Bytes } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import { inParallel } from '../base/parallel.ts';
import { byCodeUnit, quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, Manifest } from '../oci/manifest.ts';
import { isContentFault } from './content-fault.ts';
import type { BlobFate, Fetched, Repository, Store } from './contract.ts';
import { type CopyPart, planCopy } from './copy-plan.ts';

/**
 * Where a copy goes: a repository, or a layout on disk. Nothing of the image has a name there before
 * `publish`.
 */
export interface CopyTarget {
  /** The manifest at a tag. `undefined`: there is no such tag. */
  manifest(tag: string): Promise<Fetched | undefined>;
  /** `open` yields checked bytes and may be called again. */
  putBlob(blob: Descriptor, open: () => Bytes): Promise<BlobFate>;
  /** Keeps a manifest under its digest. */
  putManifest(manifest: Fetched): Promise<void>;
  /** Keeps manifests that refer to `subject`, and adds them to its referrers. */
  attach(manifests: readonly Fetched[], subject: Digest): Promise<void>;
  tag(manifest: Fetched, tag: string): Promise<void>;
  /** Gives the image the name that was asked for, if any. */
  publish(image: Fetched): Promise<void>;
}

export interface Copied {
  readonly manifests: number;
  /** Signatures, attestations, SBOMs and whatever else refers to the image or to one of its platforms. */
  readonly companions: number;
  readonly blobs: Readonly<Record<BlobFate, number>>;
  /** Of the blobs that were sent. */
  readonly bytes: number;
  readonly warnings: readonly string[];
}

/** Each holds a chunk in memory. */
const parallelBlobs = 3;
const parallelParts = 4;
/**
 * Image specification, "Non-Distributable Layers": not to be pushed; who wants one fetches it from its maker.
 */
const nonDistributable = /\.(?:foreign|nondistributable)\./;

/**
 * Copies an image with everything that was said about it, byte for byte. First what it consists of, then what
 * refers to it, its name last of all: a copy that ends early has changed no name, and a reader who sees the
 * name finds the signatures.
 *
 * @throws TcfError `registry.*`, `content.*`, `copy.conflict` (exit 2), and as the target does.
 */
export async function copyContent(
  store: Store,
  repository: Repository,
  image: Fetched,
  target: CopyTarget,
): Promise<Copied> {
  const plan = await planCopy(store, repository, image);
  const stale = await staleTags(target, plan.companions);
  const copier = new Copier(store, repository, target);
  await copier.part(plan.image);
  const copied = await inParallel(plan.companions, parallelParts, async (part) => {
    const refused = await copier.part(part);
    return refused === undefined ? part : `${nameOf(part)} is left out: ${refused.message}`;
  });
  const companions = copied.filter((part) => typeof part !== 'string');
  for (const [subject, parts] of bySubject(companions)) {
    await target.attach(
      parts.map(({ top }) => top),
      subject,
    );
  }
  for (const { role, top } of companions) {
    if (role.kind === 'tag' && !stale.has(role.tag)) {
      await target.tag(top, role.tag);
    }
  }
  await target.publish(image);
  return {
    ...copier.tally(),
    companions: companions.length,
    warnings: [...plan.warnings, ...copied.filter((part) => typeof part === 'string')],
  };
}

/**
 * The tags of cosign 2 that hold more at the target than at the source, and stay. One that holds something
 * else cannot be both, and to replace it would lose the signatures there.
 */
async function staleTags(target: CopyTarget, companions: readonly CopyPart[]): Promise<ReadonlySet<string>> {
  const stale = new Set<string>();
  for (const { role, top } of companions) {
    if (role.kind !== 'tag') {
      continue;
    }
    const there = await target.manifest(role.tag);
    if (there === undefined || holdsAll(top, there)) {
      continue;
    }
    if (!holdsAll(there, top)) {
      throw cannotTell(
        'copy.conflict',
        `the target has other signatures than the source at the tag ${quoted(role.tag)}`,
        { hint: 'copy into another repository, or remove the tag there if its signatures are not wanted' },
      );
    }
    stale.add(role.tag);
  }
  return stale;
}

/**
 * Whether every signature in `part` is in `whole`: one for each layer, with what belongs to it in the
 * annotations.
 */
function holdsAll({ document: whole }: Fetched, { document: part }: Fetched): boolean {
  if (whole.kind === 'index' || part.kind === 'index') {
    return false;
  }
  const layers = new Set(whole.layers.map(keyOf));
  return part.layers.every((layer) => layers.has(keyOf(layer)));
}

function keyOf({ digest, annotations = {} }: Manifest['layers'][number]): string {
  return JSON.stringify([digest, Object.entries(annotations).sort(([a], [b]) => byCodeUnit(a, b))]);
}

function bySubject(parts: readonly CopyPart[]): ReadonlyMap<Digest, readonly CopyPart[]> {
  const groups = new Map<Digest, CopyPart[]>();
  for (const part of parts) {
    if (part.role.kind !== 'referrer') {
      continue;
    }
    const { subject } = part.role;
    groups.set(subject, [...(groups.get(subject) ?? []), part]);
  }
  return groups;
}

function nameOf({ role, top }: CopyPart): string {
  return role.kind === 'tag' ? `tag ${role.tag}` : `referrer ${top.descriptor.digest}`;
}

class Copier {
  readonly #store: Store;
  readonly #repository: Repository;
  readonly #target: CopyTarget;
  /** Each blob is copied once, for the first part that asks. */
  readonly #blobs = new Map<string, Promise<BlobFate>>();
  /** What was wrong with the source: the same words about the target would mean something else. */
  readonly #refusals = new Set<unknown>();
  readonly #tally = { manifests: 0, bytes: 0, blobs: { copied: 0, mounted: 0, there: 0 } };

  constructor(store: Store, repository: Repository, target: CopyTarget) {
    this.#store = store;
    this.#repository = repository;
    this.#target = target;
  }

  tally(): Pick<Copied, 'blobs' | 'bytes' | 'manifests'> {
    return this.#tally;
  }

  /** Returns a content fault of a companion; throws every other error, and those of the image itself. */
  async part({ manifests, role, top }: CopyPart): Promise<TcfError | undefined> {
    const isImage = role.kind === 'image';
    const blobs = new Map(manifests.flatMap(blobsOf).map((blob) => [blob.digest, blob]));
    try {
      await inParallel([...blobs.values()], isImage ? parallelBlobs : 1, (blob) => this.#blob(blob));
    } catch (error) {
      if (!isImage && this.#refusals.has(error) && isContentFault(error)) {
        return error;
      }
      throw error;
    }
    for (const manifest of manifests) {
      this.#tally.manifests += 1;
      // Its referrers are listed together at the end.
      if (manifest === top && role.kind === 'referrer') {
        continue;
      }
      const { subject } = manifest.document;
      if (subject === undefined) {
        await this.#target.putManifest(manifest);
      } else {
        await this.#target.attach([manifest], subject.digest);
      }
    }
    return undefined;
  }

  async #blob(blob: Descriptor): Promise<void> {
    // With its size: who lies about that must not spoil the blob for others.
    const key = `${blob.digest} ${blob.size}`;
    const begun = this.#blobs.get(key);
    if (begun !== undefined) {
      return void (await begun);
    }
    const copied = this.#target.putBlob(blob, () => this.#read(blob));
    this.#blobs.set(key, copied);
    const fate = await copied;
    this.#tally.blobs[fate] += 1;
    if (fate === 'copied') {
      this.#tally.bytes += blob.size;
    }
  }

  async *#read(blob: Descriptor): Bytes {
    try {
      yield* this.#store.blob(this.#repository, blob);
    } catch (error) {
      this.#refusals.add(error);
      throw error;
    }
  }
}

function blobsOf({ document }: Fetched): readonly Descriptor[] {
  if (document.kind === 'index') {
    return [];
  }
  return [document.config, ...document.layers].filter(({ mediaType }) => !nonDistributable.test(mediaType));
}
