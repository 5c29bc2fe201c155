/**
 * What the page's table and map are made of, as it travels inside the page: small, and in the order in which
 * repetition lies close together, so that deflate finds it.
 */
export interface PackedPage {
  /** The label of each kind, the most frequent first. */
  readonly kinds: readonly (readonly [kind: string, label: string])[];
  readonly licenses: readonly string[];
  /** Bytes are 0 where they are not known. */
  readonly layers: readonly (readonly [index: number, step: string, bytes: number])[];
  readonly rows: readonly PackedRow[];
}

export type PackedRow = readonly [
  name: string,
  /** Empty where it is not known. */
  version: string,
  /** Empty where there is none. */
  purl: string,
  /** Place in `kinds`. */
  kind: number,
  /** Place in `licenses`; -1: none is known. */
  license: number,
  /** Place in `layers`; -1: none is known. */
  layer: number,
  /** 0 where base and rest are not told apart, 1 base, 2 added. */
  origin: number,
  /** Bytes; 0 where they are not known. */
  size: number,
  /** Place in `rows` of what it lies in; -1: nothing. */
  owner: number,
  location: string,
  /** Places in `rows`; 0 where the document does not say. */
  needs: 0 | readonly number[],
];
