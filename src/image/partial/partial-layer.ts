import type { Bytes } from '../../base/bytes.ts';
import { compact } from '../../base/compact.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/manifest.ts';
import { parseTocPosition, type TocPlace } from './footer.ts';

/** A layer of which parts can be read, each checked by itself. */
export interface PartialLayer {
  readonly form: 'estargz' | 'zstd:chunked';
  /** Of the table of contents: as it lies in the blob, or for eStargz of its JSON. */
  readonly toc: Digest;
  /** Where the table lies, if the manifest says so. */
  readonly place?: TocPlace;
  /** Bytes of the blob. */
  readonly size: number;
  /** Part of the blob, as it lies there; nothing is checked. */
  range(start: number, length: number): Bytes;
}

/** Names of annotations; older tools leave out the owner. */
const chunked = ['io.github.containers.zstd-chunked', 'io.containers.zstd-chunked'];
const stargz = 'containerd.io/snapshot/stargz/toc.digest';

/**
 * How parts of a layer can be read, by the annotations of its descriptor. The manifest is checked, so what it
 * says of the table is as good as what it says of the whole layer.
 *
 * @returns `undefined` for a layer that has no table, or none that the manifest names by a digest.
 */
export function partialLayer(
  { annotations = {}, size }: Descriptor,
  range: PartialLayer['range'],
): PartialLayer | undefined {
  for (const prefix of chunked) {
    const toc = annotations[`${prefix}.manifest-checksum`] ?? '';
    if (isDigest(toc)) {
      const place = parseTocPosition(annotations[`${prefix}.manifest-position`] ?? '', size);
      return compact({ form: 'zstd:chunked' as const, toc, place, size, range });
    }
  }
  const toc = annotations[stargz] ?? '';
  return isDigest(toc) ? { form: 'estargz', toc, size, range } : undefined;
}
