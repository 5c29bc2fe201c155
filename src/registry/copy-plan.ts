import { cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { inParallel } from '../base/parallel.ts';
import { algorithmOf, type Digest, hexOf } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { isContentFault } from './content-fault.ts';
import type { Fetched, Repository, Store } from './contract.ts';

/** What is copied as a whole or not at all. */
export interface CopyPart {
  readonly role: PartRole;
  /** `top` and every manifest below it, each after those that it lists. */
  readonly manifests: readonly Fetched[];
  readonly top: Fetched;
}

export type PartRole =
  | { readonly kind: 'image' }
  | { readonly kind: 'referrer'; readonly subject: Digest }
  /** An image that cosign 2 keeps at a tag made of the digest it is about. */
  | { readonly kind: 'tag'; readonly tag: string };

export interface Plan {
  readonly image: CopyPart;
  /** What was said about the image, about its platforms, and about what was said. */
  readonly companions: readonly CopyPart[];
  /** What cannot be copied because of what it is, each in one sentence. */
  readonly warnings: readonly string[];
}

const copyLimits: Readonly<Record<'generations' | 'nesting' | 'parallel' | 'totalBytes', number>> = {
  /**
   * All manifests of one copy together, in bytes, which stay in memory: a hundred platforms with a hundred
   * signatures each have some 20 MiB.
   */
  totalBytes: 256 * 1024 * 1024,
  /** Index in an index, as deep as openers of images go, and one more. */
  nesting: 3,
  /** The SBOM of an image, its signature, and what may be said of that. */
  generations: 4,
  /** Requests at once. */
  parallel: 4,
};

/** The ends of cosign 2's tags for one image: `sha256-<hex>.sig` and its siblings. */
const suffixes = ['sig', 'att', 'sbom'] as const;

/**
 * Finds everything that belongs to an image: the manifests of an index, referrers by API or fallback tag,
 * cosign 2's tags, and the same again about each of those.
 *
 * A referrer that is not what its list says is left out with a warning, so that nobody can keep an image from
 * being copied by attaching rubbish. @throws TcfError `registry.*`, `image.missing` (exit 2).
 */
export async function planCopy(store: Store, repository: Repository, root: Fetched): Promise<Plan> {
  const planner = new Planner(store, repository);
  const image = await planner.part(root, { kind: 'image' });
  const companions: CopyPart[] = [];
  let parents: readonly CopyPart[] = [image];
  for (let generation = 0; parents.length > 0; generation += 1) {
    if (generation === copyLimits.generations) {
      planner.warnings.push(
        `what refers to a referrer of a referrer is left out after ${copyLimits.generations} generations`,
      );
      break;
    }
    const found = await inParallel(
      parents.flatMap(({ manifests, role }) => manifests.map((manifest) => ({ manifest, role }))),
      copyLimits.parallel,
      ({ manifest, role }) => planner.companionsOf(manifest, role),
    );
    parents = found.flat();
    companions.push(...parents);
  }
  return { image, companions, warnings: planner.warnings };
}

class Planner {
  readonly warnings: string[] = [];
  readonly #store: Store;
  readonly #repository: Repository;
  /** Roles that were given away, so that a circle of referrers ends. */
  readonly #known = new Set<string>();
  #left = copyLimits.totalBytes;

  constructor(store: Store, repository: Repository) {
    this.#store = store;
    this.#repository = repository;
  }

  async part(top: Fetched, role: PartRole): Promise<CopyPart> {
    return { role, top, manifests: await this.#below(top, 0) };
  }

  async companionsOf({ descriptor: { digest } }: Fetched, role: PartRole): Promise<readonly CopyPart[]> {
    const parts: CopyPart[] = [];
    for (const entry of await this.#store.referrers(this.#repository, digest)) {
      const part = await this.#referrer(entry, digest);
      if (part !== undefined) {
        parts.push(part);
      }
    }
    // Signatures are not signed; a tag has at most 128 characters, so there is none for a SHA-512.
    if (role.kind === 'tag' && !role.tag.endsWith('.sbom')) {
      return parts;
    }
    if (algorithmOf(digest) !== 'sha256') {
      return parts;
    }
    for (const suffix of suffixes) {
      const part = await this.#tagged(`sha256-${hexOf(digest)}.${suffix}`);
      if (part !== undefined) {
        parts.push(part);
      }
    }
    return parts;
  }

  async #referrer(entry: Descriptor, subject: Digest): Promise<CopyPart | undefined> {
    if (!this.#isNew(`${subject} ${entry.digest}`)) {
      return undefined;
    }
    return await this.#unlessContentFault(`referrer ${entry.digest}`, async () => {
      const fetched = await this.#fetch(entry);
      if (fetched?.document.subject?.digest === subject) {
        return await this.part(fetched, { kind: 'referrer', subject });
      }
      this.warnings.push(
        fetched === undefined
          ? `referrer ${entry.digest} is listed but not there; it is left out`
          : `referrer ${entry.digest} is listed but is about something else; it is left out`,
      );
      return undefined;
    });
  }

  async #tagged(tag: string): Promise<CopyPart | undefined> {
    if (!this.#isNew(tag)) {
      return undefined;
    }
    return await this.#unlessContentFault(`tag ${tag}`, async () => {
      const fetched = await this.#store.manifest(this.#repository, tag);
      if (fetched === undefined) {
        return undefined;
      }
      this.#spend(fetched);
      return await this.part(fetched, { kind: 'tag', tag });
    });
  }

  async #unlessContentFault(
    what: string,
    find: () => Promise<CopyPart | undefined>,
  ): Promise<CopyPart | undefined> {
    try {
      return await find();
    } catch (error) {
      if (!isContentFault(error)) {
        throw error;
      }
      this.warnings.push(`${what} cannot be read and is left out: ${error.message}`);
      return undefined;
    }
  }

  async #below(top: Fetched, depth: number): Promise<readonly Fetched[]> {
    const { document } = top;
    if (document.kind === 'manifest') {
      return [top];
    }
    if (depth === copyLimits.nesting) {
      throw cannotTell('manifest.nesting', `${top.descriptor.digest} is an index in an index in an index`);
    }
    const children = await inParallel(document.manifests, copyLimits.parallel, async (entry) => {
      const child = await this.#fetch(entry);
      if (child !== undefined) {
        return await this.#below(child, depth + 1);
      }
      throw cannotTell(
        'registry.missing',
        `${top.descriptor.digest} lists ${entry.digest}, which is not there`,
        {
          hint: 'the image was pushed or kept for some of its platforms only; copy one of them by its digest',
        },
      );
    });
    return [...children.flat(), top];
  }

  async #fetch({ digest, size }: Descriptor): Promise<Fetched | undefined> {
    if (size > jsonLimits.manifest.maxBytes) {
      throw cannotTell('manifest.size', `manifest ${digest} is said to have ${size} bytes`);
    }
    const fetched = await this.#store.manifest(this.#repository, digest);
    if (fetched !== undefined) {
      this.#spend(fetched);
    }
    return fetched;
  }

  #spend({ bytes }: Fetched): void {
    this.#left -= bytes.length;
    if (this.#left < 0) {
      throw cannotTell(
        'registry.limit',
        `the manifests of this image have more than ${copyLimits.totalBytes} bytes together`,
      );
    }
  }

  #isNew(key: string): boolean {
    const isNew = !this.#known.has(key);
    this.#known.add(key);
    return isNew;
  }
}
