import { type Cataloger, contentLimit } from '../catalogers/contract.ts';

export const scanLimits: Readonly<
  Record<'layerContent' | 'layerObservations' | 'holes' | 'head' | 'headKeptFrom', number>
> = {
  /**
   * Content kept of one layer at the first look: several are read at a time, and most of what a lower one
   * has is hidden by a higher one. A layer that installs a thousand packages has under 30 MiB of what
   * catalogers want; what is visible in the end and was not kept is read again.
   */
  layerContent: 128 * 1024 * 1024,
  /**
   * What scanners say of the files of one layer, as JSON. The package list of a whole distribution is 14 MiB.
   */
  layerObservations: 48 * 1024 * 1024,
  /**
   * Zeros that the holes of sparse files may stand for in one layer: 16 GiB take some seconds to look
   * through.
   */
  holes: 16 * 1024 ** 3,
  /** A scanner gets at least so many bytes to know a file by. */
  head: 64,
  /**
   * From this size on every file keeps its head for a second look under another name, where a cataloger does
   * not say what the files that it scans begin with.
   */
  headKeptFrom: 64 * 1024,
};

export const tooMuchSeen = 'what was seen in it is too much to keep';

/** What is known of the content of one file. Bits stand for catalogers in the order of their list. */
export interface Finds {
  /** Catalogers that want the content under the name it has in the layer. */
  wanted: number;
  /** Catalogers that scanned it, whatever they saw. */
  scanned: number;
  content?: Uint8Array;
  /** The first bytes, to be asked about again under another name. */
  head?: Uint8Array;
  readonly observations: Map<number, object>;
  /** How much the observations are as JSON. */
  observationBytes?: number;
}

/** The most that one of the catalogers in `wanted` keeps of a file, in bytes. */
export function contentLimitOf(catalogers: readonly Cataloger[], wanted: number): number {
  return catalogers.reduce(
    (most, cataloger, at) =>
      (wanted & (1 << at)) === 0 ? most : Math.max(most, cataloger.contentLimit ?? 0),
    contentLimit,
  );
}
