import { loadSegment, type Section, type Segment } from './elf.ts';

/** Programs of macOS, by their first bytes (`mach-o/loader.h`). */
export interface MachOParts {
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
}

/** One architecture of a universal file (`mach-o/fat.h`). */
export interface Slice {
  readonly at: number;
  readonly size: number;
}

const segmentCommand = 1;
const segmentCommand64 = 0x19;
const writable = 2;
/**
 * Attributes of sections that hold instructions: constants lie beside these in a segment that is executable
 * as a whole.
 */
const instructions = 0x8000_0400;
/** Types of sections that take no bytes of the file. */
const zeroFill: ReadonlySet<number> = new Set([1, 12, 18]);
/** Real universal files have two or three. */
const maxSlices = 16;

export function isMachO(head: Uint8Array): boolean {
  return formOf(head) !== undefined;
}

/**
 * A Java class begins with the same four bytes; where a universal file has its small count of slices, a class
 * has its version.
 */
export function isUniversal(head: Uint8Array): boolean {
  if (head.length < 8) {
    return false;
  }
  const view = viewOf(head);
  const magic = view.getUint32(0);
  const count = view.getUint32(4);
  return (magic === 0xcafebabe || magic === 0xcafebabf) && count > 0 && count <= maxSlices;
}

/** Where the architectures of a universal file lie; those with impossible places are left out. */
export function slicesIn(window: Uint8Array): readonly Slice[] {
  const view = viewOf(window);
  const isWide = view.getUint32(0) === 0xcafebabf;
  const size = isWide ? 32 : 20;
  return Array.from({ length: view.getUint32(4) }, (_, index) => 8 + index * size).flatMap((row) => {
    if (row + size > window.length) {
      return [];
    }
    const number = (at: number): number =>
      isWide ? Number(view.getBigUint64(row + at)) : view.getUint32(row + at);
    const slice = { at: number(8), size: number(isWide ? 16 : 12) };
    return Number.isSafeInteger(slice.at + slice.size) && slice.at >= 8 ? [slice] : [];
  });
}

/**
 * The sections whose load commands lie in the window, each as a segment of its own; `undefined` where it
 * holds no header. A segment holds constants and instructions, and only its sections tell them apart.
 */
export function machOPartsIn(window: Uint8Array): MachOParts | undefined {
  const form = formOf(window);
  if (form === undefined || window.length < 32) {
    return undefined;
  }
  const reader = new Reader(window, form);
  const found: Placed[] = [];
  let at = form.isWide ? 32 : 28;
  for (let left = reader.word(16); left > 0 && at + 8 <= window.length; left -= 1) {
    const size = reader.word(at + 4);
    if (size < 8 || at + size > window.length) {
      break;
    }
    if (reader.word(at) === (form.isWide ? segmentCommand64 : segmentCommand)) {
      found.push(...reader.sections(at, size));
    }
    at += size;
  }
  const placed = found.filter((each) => Number.isSafeInteger(each.address + each.at + each.size));
  return {
    segments: placed.map(({ name: _, ...segment }) => segment),
    sections: placed.map(({ at: place, name, size }) => ({ at: place, name, size })),
  };
}

type Placed = Section & Segment;

interface Form {
  readonly isWide: boolean;
  readonly isLittle: boolean;
}

function formOf(head: Uint8Array): Form | undefined {
  if (head.length < 4) {
    return undefined;
  }
  const view = viewOf(head);
  for (const isLittle of [false, true]) {
    const magic = view.getUint32(0, isLittle);
    if (magic === 0xfeedface || magic === 0xfeedfacf) {
      return { isLittle, isWide: magic === 0xfeedfacf };
    }
  }
  return undefined;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #form: Form;

  constructor(bytes: Uint8Array, form: Form) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#form = form;
  }

  word(at: number): number {
    return this.#view.getUint32(at, this.#form.isLittle);
  }

  /** The sections behind a segment command, as many as its size has room for. */
  sections(at: number, size: number): readonly Placed[] {
    const { isWide } = this.#form;
    const fixed = isWide ? 72 : 56;
    if (size < fixed) {
      return [];
    }
    const isWritable = (this.word(at + (isWide ? 60 : 44)) & writable) !== 0;
    const row = isWide ? 80 : 68;
    const count = Math.min(this.word(at + (isWide ? 64 : 48)), Math.floor((size - fixed) / row));
    return Array.from({ length: count }, (_, index) => this.#section(at + fixed + index * row, isWritable));
  }

  #section(at: number, isWritable: boolean): Placed {
    const { isWide } = this.#form;
    const flags = this.word(at + (isWide ? 64 : 56));
    return {
      type: loadSegment,
      isWritable,
      isExecutable: (flags & instructions) !== 0,
      name: Buffer.from(this.#bytes.subarray(at, at + 16))
        .toString('latin1')
        .replace(/\0+$/, ''),
      address: this.#pointer(at + 32),
      size: zeroFill.has(flags & 0xff) ? 0 : this.#pointer(at + (isWide ? 40 : 36)),
      at: this.word(at + (isWide ? 48 : 40)),
    };
  }

  #pointer(at: number): number {
    const { isLittle, isWide } = this.#form;
    return isWide ? Number(this.#view.getBigUint64(at, isLittle)) : this.#view.getUint32(at, isLittle);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
