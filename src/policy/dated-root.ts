import type { Digest } from '../oci/digest.ts';
/** A trusted root that a policy was judged with, and how old what it says may be. */
export interface DatedRoot {
  /** `sigstore`, or the file. */
  readonly source: string;
  readonly digest: Digest;
  /**
   * When this was the current root, as far as anybody showed; absent for a file, which says nothing about
   * that.
   */
  readonly asOf?: Date;
  /** How that is known: `carried by tcf`, `tcf trust update`, `tcf trust import`, `a file`. */
  readonly origin: string;
  /** Kept by the machine and not by the user. */
  readonly isOfMachine?: boolean;
  /** The latest start of any of its entries. */
  readonly newest: Date;
  /** How many of its entries do not count (`tcf trust show` says why); none where absent. */
  readonly skipped?: number;
}
