/** What an ELF file made for a test holds. */
export interface ElfFile {
  readonly wide?: boolean;
  readonly little?: boolean;
  /** A note that Go's linker writes. */
  readonly goNote?: boolean;
  /** Each on a page of its own, in this order, in the file and in memory. */
  readonly segments: readonly ElfSegment[];
  /** Behind what is loaded, as `.comment` is. */
  readonly sections?: Readonly<Record<string, Uint8Array>>;
}

export interface ElfSegment {
  readonly isWritable: boolean;
  readonly bytes: Uint8Array;
}

/** Spells a number in the form of a machine. */
type Spell = (value: number) => Buffer;

const page = 0x1000;
const base = 0x400000;

/** Where in memory the segment of this number lies, if those before it are smaller than a page. */
export const addressOf = (segment: number): number => base + (segment + 1) * page;

/** Numbers in the form of one machine. */
export function numbers({ wide = true, little = true }: Pick<ElfFile, 'little' | 'wide'>): {
  readonly half: Spell;
  readonly word: Spell;
  readonly pointer: Spell;
} {
  const number = (size: number) => (value: number) => {
    const bytes = Buffer.alloc(size);
    if (size === 8) {
      little ? bytes.writeBigUInt64LE(BigInt(value)) : bytes.writeBigUInt64BE(BigInt(value));
    } else {
      little ? bytes.writeUIntLE(value, 0, size) : bytes.writeUIntBE(value, 0, size);
    }
    return bytes;
  };
  return { half: number(2), word: number(4), pointer: number(wide ? 8 : 4) };
}

/** A file as linkers lay it out: headers, segments, sections, the names of sections, their table. */
export function elfFile(file: ElfFile): Buffer {
  const { wide = true, little = true, goNote = false, segments, sections = {} } = file;
  const { half, word, pointer } = numbers(file);
  const headerSize = wide ? 64 : 52;
  const programSize = wide ? 56 : 32;
  const sectionSize = wide ? 64 : 40;
  const note = Buffer.concat([word(4), word(4), word(4), Buffer.from('Go\0\0abcd')]);
  const noteAt = 0x800;
  const places = segments.map((_, index) => (index + 1) * page);
  const programs = [
    ...segments.map(({ bytes, isWritable }, index) => ({
      type: 1,
      flags: isWritable ? 6 : 4,
      at: places[index] ?? 0,
      size: bytes.length,
    })),
    ...(goNote ? [{ type: 4, flags: 4, at: noteAt, size: note.length }] : []),
  ].map(({ at, flags, size, type }) => {
    const address = pointer(base + at);
    const sizes = [pointer(size), pointer(size)];
    return wide
      ? Buffer.concat([word(type), word(flags), pointer(at), address, address, ...sizes, pointer(page)])
      : Buffer.concat([word(type), pointer(at), address, address, ...sizes, word(flags), pointer(page)]);
  });
  const body = Buffer.alloc((segments.length + 1) * page);
  for (const [index, { bytes }] of segments.entries()) {
    body.set(bytes, places[index]);
  }
  const end = (places.at(-1) ?? 0) + (segments.at(-1)?.bytes.length ?? 0);

  const names = ['', ...Object.keys(sections), '.shstrtab'];
  const text = Buffer.from(`${names.join('\0')}\0`);
  const contents = [...Object.values(sections), text];
  let at = end;
  const entries = contents.map((bytes, index) => {
    const name = Buffer.from(names.slice(0, index + 1).join('\0')).length + 1;
    const entry = [word(name), word(1), pointer(0), pointer(0), pointer(at), pointer(bytes.length)];
    at += bytes.length;
    return Buffer.concat([...entry, Buffer.alloc(sectionSize)]).subarray(0, sectionSize);
  });
  const table = at;

  const head = Buffer.concat([
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1, ...Array<number>(9).fill(0)]),
    ...[half(3), half(62), word(1), pointer(0), pointer(headerSize), pointer(table), word(0)],
    ...[half(headerSize), half(programSize), half(programs.length)],
    ...[half(sectionSize), half(entries.length + 1), half(entries.length)],
  ]);
  body.set(Buffer.concat([head, ...programs]));
  if (goNote) {
    body.set(note, noteAt);
  }
  return Buffer.concat([body.subarray(0, end), ...contents, Buffer.alloc(sectionSize), ...entries]);
}
