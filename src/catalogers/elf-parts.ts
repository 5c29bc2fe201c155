import type { StreamScanner } from './contract.ts';
import { type ElfHeader, elfHeaderOf, type Segment, segmentsOf } from './elf-layout.ts';

export interface ByteRange {
  /** Offset in the file. */
  readonly at: number;
  /** Bytes. */
  readonly size: number;
}

/** Bytes of a file that were kept while it streamed by, whole or as far as the file went. */
export interface Part {
  readonly at: number;
  readonly bytes: Buffer;
}

export interface ElfLayout {
  readonly header: ElfHeader;
  readonly segments: readonly Segment[];
  /** The first bytes of the file. */
  readonly window: Buffer;
}

/** The byte ranges to keep of a file, and what they say once they are there. */
export interface Selection<Seen extends object> {
  readonly ranges: readonly ByteRange[];
  /** Sees every byte of the file, from the first. */
  readonly everything?: (chunk: Uint8Array) => void;
  end(parts: readonly Part[]): Seen | undefined;
}

/** What linkers put first: headers and notes. A file that was patched later may have its program headers at the end; it is not looked into. */
const windowSize = 8192;
/** Of all ranges together: headers may name the same bytes a hundred times. */
const maxKept = 64 * 1024 * 1024;

/** Keeps ranges of an ELF file that follow from its headers. The memory is that of the ranges, until the file ends. */
export function keepParts<Seen extends object>(
  select: (layout: ElfLayout) => Selection<Seen> | undefined,
): StreamScanner<Seen> {
  let position = 0;
  let selection: Selection<Seen> | undefined;
  let parts: { readonly at: number; readonly size: number; readonly chunks: Buffer[] }[] = [];
  let window: Buffer | undefined = Buffer.alloc(windowSize);

  const take = (chunk: Uint8Array, start: number): void => {
    selection?.everything?.(chunk);
    for (const part of parts) {
      const from = Math.max(part.at, start);
      const to = Math.min(part.at + part.size, start + chunk.length);
      if (from >= to) continue;
      part.chunks.push(Buffer.from(chunk.subarray(from - start, to - start)));
    }
  };
  const open = (first: Buffer): void => {
    window = undefined;
    selection = selectionOf(first, select);
    let left = maxKept;
    parts = (selection?.ranges ?? []).map(({ at, size }) => {
      const most = Math.min(size, left);
      left -= most;
      return { at, size: most, chunks: [] };
    });
    take(first, 0);
  };
  return {
    push(chunk) {
      let rest = chunk;
      if (window !== undefined) {
        const part = chunk.subarray(0, windowSize - position);
        window.set(part, position);
        position += part.length;
        if (position < windowSize) return;
        open(window);
        rest = chunk.subarray(part.length);
      }
      if (selection !== undefined && rest.length > 0) take(rest, position);
      position += rest.length;
    },
    end() {
      if (window !== undefined) open(window.subarray(0, position));
      const kept = parts.flatMap(({ at, chunks }) =>
        chunks.length === 0 ? [] : [{ at, bytes: Buffer.concat(chunks) }],
      );
      parts = [];
      return selection?.end(kept);
    },
  };
}

function selectionOf<Seen extends object>(
  window: Buffer,
  select: (layout: ElfLayout) => Selection<Seen> | undefined,
): Selection<Seen> | undefined {
  const header = elfHeaderOf(window);
  if (header === undefined) return undefined;
  const { at, count, size } = header.programs;
  if (at + count * size > window.length) return undefined;
  return select({ header, segments: segmentsOf(window.subarray(at, at + count * size), header), window });
}
