import type { Digest } from '../oci/digest.ts';
import type { ChainEnd } from './decision-entry.ts';
import type { DecisionLogEntry, PruningEntry } from './pruning-entry.ts';

/**
 * Follows a chain entry by entry. A changed, removed or inserted entry breaks the link of the one behind it;
 * a beginning that is gone has to be owned up to by a later entry of the chain, with the digest that its
 * first entry follows. What was cut off at the end is seen only by someone who wrote the last digest down
 * elsewhere.
 */
export class Chain {
  #end: ChainEnd | undefined;
  /** The entry before the first that is here, by what that one says. */
  #begin: ChainEnd | undefined;
  #pruning: PruningEntry | undefined;
  readonly #digests = new Map<number, Digest>();

  get end(): ChainEnd | undefined {
    return this.#end;
  }

  /** The entry that explains why the chain does not begin with 0. */
  get pruning(): PruningEntry | undefined {
    return this.#pruning;
  }

  /** Whether this entry is part of the chain, or the last one that was taken from it. */
  has(digest: Digest): boolean {
    return [...this.#digests.values()].includes(digest);
  }

  /** What is wrong with the next entry; `undefined` where it follows. */
  add(next: ChainEnd, { entry, kind }: DecisionLogEntry): string | undefined {
    const { previous, sequence } = entry;
    if (sequence !== next.sequence) {
      return `it says that it is number ${sequence}`;
    }
    if (this.#end === undefined && sequence > 0) {
      if (previous === undefined) {
        return 'it follows nothing, and is not the first';
      }
      this.#begin = { sequence: sequence - 1, digest: previous };
      this.#digests.set(sequence - 1, previous);
    } else if (previous !== this.#end?.digest) {
      return `it follows ${previous ?? 'nothing'}, but the entry before is ${this.#end?.digest ?? 'not there'}`;
    }
    this.#end = next;
    this.#digests.set(sequence, next.digest);
    return kind === 'pruning' ? this.#own(entry) : undefined;
  }

  /** The first entry, where nobody owns up to having taken away the ones before. */
  unexplained(): number | undefined {
    return this.#begin === undefined || this.#pruning !== undefined ? undefined : this.#begin.sequence + 1;
  }

  #own(entry: PruningEntry): string | undefined {
    const { digest, sequence } = entry.pruned;
    const known = this.#digests.get(sequence);
    // One whose last entry is gone together with others: a later one says so.
    if (known === undefined) {
      return undefined;
    }
    if (known !== digest) {
      return `it says that entry ${sequence} was ${digest}, and that was ${known}`;
    }
    this.#pruning = entry;
    return undefined;
  }
}
