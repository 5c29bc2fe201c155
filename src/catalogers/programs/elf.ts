/** Whether a file starts as ELF does. The same words in a text file prove nothing. */
export function isElf(head: Uint8Array): boolean {
  return head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;
}

/** Where the parts of an ELF file are, by its first bytes (gABI, "Program Header" and "Section Header"). */
export interface ElfHeader {
  readonly little: boolean;
  /** 64 bits. */
  readonly wide: boolean;
  readonly programs: Table;
  /** Absent where the file has none, as some that were stripped of everything. */
  readonly sections?: Table & { readonly names: number };
}

interface Table {
  /** Offset in the file, how many entries, and bytes of each. */
  readonly at: number;
  readonly count: number;
  readonly size: number;
}

export interface Segment {
  readonly type: number;
  readonly isWritable: boolean;
  readonly isExecutable: boolean;
  readonly at: number;
  readonly address: number;
  /** Bytes in the file. */
  readonly size: number;
}

export interface Section {
  readonly name: string;
  readonly at: number;
  readonly size: number;
}

export const loadSegment = 1;
export const noteSegment = 4;
/** Real files have under 20 program headers; `libtriton.so` has 11. */
const maxPrograms = 128;
/** Real files have under 100; one section for each function makes thousands, in object files. */
const maxSections = 4096;
const headerSize = 64;

/** `undefined` where the first 64 bytes are no header with sane tables. */
export function elfHeaderOf(head: Uint8Array): ElfHeader | undefined {
  if (head.length < headerSize) {
    return undefined;
  }
  const view = viewOf(head);
  const wide = head[4] === 2;
  const little = head[5] === 1;
  const offset = (at: number): number =>
    wide ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
  const half = (at: number): number => view.getUint16(wide ? at : at - 12, little);
  const programs = { at: offset(wide ? 32 : 28), size: half(54), count: half(56) };
  const sections = { at: offset(wide ? 40 : 32), size: half(58), count: half(60), names: half(62) };
  const isSane =
    programs.size >= (wide ? 56 : 32) &&
    programs.size <= 256 &&
    programs.count > 0 &&
    programs.count <= maxPrograms &&
    Number.isSafeInteger(programs.at);
  if (!isSane) {
    return undefined;
  }
  const hasSections =
    sections.size >= (wide ? 64 : 40) &&
    sections.size <= 256 &&
    sections.count > 0 &&
    sections.count <= maxSections &&
    Number.isSafeInteger(sections.at);
  return { little, wide, programs, ...(hasSections ? { sections } : {}) };
}

/** The segments of a table of program headers; those with impossible numbers are left out. */
export function segmentsOf(table: Uint8Array, { little, wide, programs }: ElfHeader): readonly Segment[] {
  const view = viewOf(table);
  const found: Segment[] = [];
  for (let entry = 0; entry + programs.size <= table.length; entry += programs.size) {
    const number = (inWide: number, inNarrow: number): number =>
      wide ? Number(view.getBigUint64(entry + inWide, little)) : view.getUint32(entry + inNarrow, little);
    const flags = view.getUint32(entry + (wide ? 4 : 24), little);
    const segment: Segment = {
      type: view.getUint32(entry, little),
      isExecutable: (flags & 1) !== 0,
      isWritable: (flags & 2) !== 0,
      at: number(8, 4),
      address: number(16, 8),
      size: number(32, 16),
    };
    if ([segment.at, segment.address, segment.at + segment.size].every(Number.isSafeInteger)) {
      found.push(segment);
    }
  }
  return found;
}

/**
 * The sections of a file by its last bytes, which start at `start` of the file: linkers put the names and the
 * table of sections last. Empty where they lie elsewhere.
 */
export function sectionsOf(
  tail: Uint8Array,
  start: number,
  { little, wide, sections }: ElfHeader,
): readonly Section[] {
  if (sections === undefined || sections.at < start) {
    return [];
  }
  const view = viewOf(tail);
  const entries: { readonly name: number; readonly at: number; readonly size: number }[] = [];
  for (let index = 0; index < sections.count; index += 1) {
    const entry = sections.at - start + index * sections.size;
    if (entry + sections.size > tail.length) {
      return [];
    }
    const number = (inWide: number, inNarrow: number): number =>
      wide ? Number(view.getBigUint64(entry + inWide, little)) : view.getUint32(entry + inNarrow, little);
    entries.push({ name: view.getUint32(entry, little), at: number(24, 16), size: number(32, 20) });
  }
  const names = entries[sections.names];
  if (names === undefined || names.at < start) {
    return [];
  }
  const text = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  return entries.flatMap(({ name, at, size }) => {
    const from = names.at - start + name;
    const end = text.indexOf(0, from);
    if (name >= names.size || end < 0 || end - from > 256) {
      return [];
    }
    return [{ name: text.toString('latin1', from, end), at, size }];
  });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
