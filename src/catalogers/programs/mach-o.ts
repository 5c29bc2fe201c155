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
const executable = 4;
/** Real universal files have two or three. */
const maxSlices = 16;

export function isMachO(head: Uint8Array): boolean {
  return formOf(head) !== undefined;
}

/** A Java class begins with the same four bytes; where a universal file has its small count of slices, a class has its version. */
export function isUniversal(head: Uint8Array): boolean {
  if (head.length < 8) return false;
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
    if (row + size > window.length) return [];
    const number = (at: number): number =>
      isWide ? Number(view.getBigUint64(row + at)) : view.getUint32(row + at);
    const slice = { at: number(8), size: number(isWide ? 16 : 12) };
    return Number.isSafeInteger(slice.at + slice.size) && slice.at >= 8 ? [slice] : [];
  });
}

/** The segments and sections whose load commands lie in the window; `undefined` where it holds no header. */
export function machOPartsIn(window: Uint8Array): MachOParts | undefined {
  const form = formOf(window);
  if (form === undefined || window.length < 32) return undefined;
  const reader = new Reader(window, form);
  const segments: Segment[] = [];
  const sections: Section[] = [];
  let at = form.isWide ? 32 : 28;
  for (let left = reader.word(16); left > 0 && at + 8 <= window.length; left -= 1) {
    const size = reader.word(at + 4);
    if (size < 8 || at + size > window.length) break;
    if (reader.word(at) === (form.isWide ? segmentCommand64 : segmentCommand)) {
      const found = reader.segment(at, size);
      segments.push(found.segment);
      sections.push(...found.sections);
    }
    at += size;
  }
  return { segments: segments.filter(isSane), sections: sections.filter(isSane) };
}

interface Form {
  readonly isWide: boolean;
  readonly isLittle: boolean;
}

function formOf(head: Uint8Array): Form | undefined {
  if (head.length < 4) return undefined;
  const view = viewOf(head);
  for (const isLittle of [false, true]) {
    const magic = view.getUint32(0, isLittle);
    if (magic === 0xfeedface || magic === 0xfeedfacf) return { isLittle, isWide: magic === 0xfeedfacf };
  }
  return undefined;
}

function isSane({ at, size }: Section | Segment): boolean {
  return Number.isSafeInteger(at) && Number.isSafeInteger(at + size);
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

  /** A segment command and the sections behind it, as many as its size has room for. */
  segment(at: number, size: number): { readonly segment: Segment; readonly sections: readonly Section[] } {
    const { isWide } = this.#form;
    const fixed = isWide ? 72 : 56;
    if (size < fixed) return { segment: unusable, sections: [] };
    const protection = this.word(at + (isWide ? 60 : 44));
    const row = isWide ? 80 : 68;
    const count = Math.min(this.word(at + (isWide ? 64 : 48)), Math.floor((size - fixed) / row));
    return {
      segment: {
        type: loadSegment,
        isWritable: (protection & writable) !== 0,
        isExecutable: (protection & executable) !== 0,
        address: this.#pointer(at + 24),
        at: this.#pointer(at + (isWide ? 40 : 32)),
        size: this.#pointer(at + (isWide ? 48 : 36)),
      },
      sections: Array.from({ length: count }, (_, index) => this.#section(at + fixed + index * row)),
    };
  }

  #section(at: number): Section {
    const { isWide } = this.#form;
    return {
      name: Buffer.from(this.#bytes.subarray(at, at + 16))
        .toString('latin1')
        .replace(/\0+$/, ''),
      size: this.#pointer(at + (isWide ? 40 : 36)),
      at: this.word(at + (isWide ? 48 : 40)),
    };
  }

  #pointer(at: number): number {
    const { isLittle, isWide } = this.#form;
    return isWide ? Number(this.#view.getBigUint64(at, isLittle)) : this.#view.getUint32(at, isLittle);
  }
}

const unusable: Segment = {
  type: 0,
  isWritable: false,
  isExecutable: false,
  address: 0,
  at: 0,
  size: Number.NaN,
};

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
