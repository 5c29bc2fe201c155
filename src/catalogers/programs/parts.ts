import type { StreamScanner } from '../contract.ts';
import { type ElfHeader, elfHeaderOf, isElf, type Section, type Segment, segmentsOf } from './elf.ts';
import { isMachO, isUniversal, machOPartsIn, type Slice, slicesIn } from './mach-o.ts';
import { isPe, pePartsIn } from './pe.ts';

export interface ByteRange {
  /** Offset in the file. */
  readonly at: number;
  /** Bytes. */
  readonly size: number;
}

/** Bytes of a file that were kept while it streamed by, whole or as far as the file went. */
export interface ProgramPart {
  readonly at: number;
  readonly bytes: Buffer;
}

/** Where the parts of a program are, by its first bytes, which are the window. */
export type ProgramLayout = { readonly segments: readonly Segment[]; readonly window: Buffer } & (
  | { readonly format: 'ELF'; readonly header: ElfHeader }
  | { readonly format: 'Mach-O' | 'PE'; readonly sections: readonly Section[] }
);

/** The byte ranges to keep of a file, and what they say once they are there. */
export interface Selection<Seen extends object> {
  readonly ranges: readonly ByteRange[];
  /** Sees every byte of the file, from the first. */
  readonly everything?: (chunk: Uint8Array) => void;
  end(parts: readonly ProgramPart[]): Seen | undefined;
}

type Select<Seen extends object> = (layout: ProgramLayout) => Selection<Seen> | undefined;

/**
 * What linkers put first: headers and notes. A file that was patched later may have its program headers at
 * the end; it is not looked into.
 */
const windowSize = 8192;
/** Of all ranges together: headers may name the same bytes a hundred times. */
const maxKept = 64 * 1024 * 1024;

/** Whether a file starts as a program does: ELF, PE, Mach-O of one or more architectures. */
export function isProgram(head: Uint8Array): boolean {
  return isElf(head) || isPe(head) || isMachO(head) || isUniversal(head);
}

/**
 * Keeps ranges of a program that follow from its headers. The memory is that of the ranges, until the file
 * ends. Of a universal file each architecture is a program, and the first that says something speaks for the
 * file.
 */
export function keepParts<Seen extends object>(head: Uint8Array, select: Select<Seen>): StreamScanner<Seen> {
  return isUniversal(head) ? eachSlice(select) : oneProgram(select);
}

function oneProgram<Seen extends object>(select: Select<Seen>): StreamScanner<Seen> {
  let selection: Selection<Seen> | undefined;
  let parts: { readonly at: number; readonly size: number; readonly chunks: Buffer[] }[] = [];
  const take = (chunk: Uint8Array, start: number): void => {
    selection?.everything?.(chunk);
    for (const part of parts) {
      const from = Math.max(part.at, start);
      const to = Math.min(part.at + part.size, start + chunk.length);
      if (from >= to) {
        continue;
      }
      part.chunks.push(Buffer.from(chunk.subarray(from - start, to - start)));
    }
  };
  const reader = windowed((window) => {
    const layout = layoutOf(window);
    selection = layout === undefined ? undefined : select(layout);
    let left = maxKept;
    parts = (selection?.ranges ?? []).map(({ at, size }) => {
      const most = Math.min(size, left);
      left -= most;
      return { at, size: most, chunks: [] };
    });
    return selection === undefined ? undefined : take;
  });
  return {
    push: reader.push,
    end() {
      reader.end();
      const kept = parts.flatMap(({ at, chunks }) =>
        chunks.length === 0 ? [] : [{ at, bytes: Buffer.concat(chunks) }],
      );
      parts = [];
      return selection?.end(kept);
    },
  };
}

function eachSlice<Seen extends object>(select: Select<Seen>): StreamScanner<Seen> {
  let slices: { readonly slice: Slice; readonly scanner: StreamScanner<Seen> }[] = [];
  const reader = windowed((window) => {
    slices = slicesIn(window).map((slice) => ({ slice, scanner: oneProgram(select) }));
    return (chunk, start) => {
      for (const { scanner, slice } of slices) {
        const from = Math.max(slice.at, start);
        const to = Math.min(slice.at + slice.size, start + chunk.length);
        if (from < to) {
          scanner.push(chunk.subarray(from - start, to - start));
        }
      }
    };
  });
  return {
    push: reader.push,
    end() {
      reader.end();
      return slices.map(({ scanner }) => scanner.end()).find((seen) => seen !== undefined);
    },
  };
}

type Take = (chunk: Uint8Array, start: number) => void;

/** Gathers the first bytes of a file, and gives them and all that follows to what `open` makes of them. */
function windowed(open: (window: Buffer) => Take | undefined): {
  push(chunk: Uint8Array): void;
  end(): void;
} {
  let window: Buffer | undefined = Buffer.alloc(windowSize);
  let position = 0;
  let take: Take | undefined;
  const close = (first: Buffer): void => {
    window = undefined;
    take = open(first);
    take?.(first, 0);
  };
  return {
    push(chunk) {
      let rest = chunk;
      if (window !== undefined) {
        const part = chunk.subarray(0, windowSize - position);
        window.set(part, position);
        position += part.length;
        if (position < windowSize) {
          return;
        }
        close(window);
        rest = chunk.subarray(part.length);
      }
      if (rest.length > 0) {
        take?.(rest, position);
      }
      position += rest.length;
    },
    end() {
      if (window !== undefined) {
        close(window.subarray(0, position));
      }
    },
  };
}

function layoutOf(window: Buffer): ProgramLayout | undefined {
  if (!isElf(window)) {
    const pe = pePartsIn(window);
    if (pe !== undefined) {
      return { format: 'PE', ...pe, window };
    }
    const machO = machOPartsIn(window);
    return machO === undefined ? undefined : { format: 'Mach-O', ...machO, window };
  }
  const header = elfHeaderOf(window);
  if (header === undefined) {
    return undefined;
  }
  const { at, count, size } = header.programs;
  if (at + count * size > window.length) {
    return undefined;
  }
  return {
    format: 'ELF',
    header,
    segments: segmentsOf(window.subarray(at, at + count * size), header),
    window,
  };
}
