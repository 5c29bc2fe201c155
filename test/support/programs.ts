/** A section of a program made for a test; Mach-O lays it into a segment of the same number. */
export interface ProgramSection {
  readonly name: string;
  readonly isWritable: boolean;
  readonly bytes: Uint8Array;
}

const page = 0x1000;
const peBase = 0x400000;
const machBase = 0x1_0000_0000;

/** Where in memory the section of this number lies, if those before it are smaller than a page. */
export const peAddressOf = (section: number): number => peBase + (section + 1) * page;
export const machAddressOf = (section: number): number => machBase + (section + 1) * page;

/** A PE file as linkers lay it out (Microsoft, "PE Format"). */
export function peFile(
  sections: readonly ProgramSection[],
  { isWide = true }: { readonly isWide?: boolean } = {},
): Buffer {
  const start = 0x80;
  const optional = isWide ? 240 : 224;
  const header = Buffer.alloc(page);
  header.write('MZ', 0, 'latin1');
  header.writeUInt32LE(start, 60);
  header.write('PE\0\0', start, 'latin1');
  header.writeUInt16LE(isWide ? 0x8664 : 0x14c, start + 4);
  header.writeUInt16LE(sections.length, start + 6);
  header.writeUInt16LE(optional, start + 20);
  header.writeUInt16LE(isWide ? 0x20b : 0x10b, start + 24);
  if (isWide) {
    header.writeBigUInt64LE(BigInt(peBase), start + 24 + 24);
  } else {
    header.writeUInt32LE(peBase, start + 24 + 28);
  }
  for (const [index, { bytes, isWritable, name }] of sections.entries()) {
    const row = start + 24 + optional + index * 40;
    header.write(name, row, 8, 'latin1');
    header.writeUInt32LE(bytes.length, row + 8);
    header.writeUInt32LE((index + 1) * page, row + 12);
    header.writeUInt32LE(Math.ceil(bytes.length / 512) * 512, row + 16);
    header.writeUInt32LE((index + 1) * page, row + 20);
    header.writeUInt32LE(isWritable ? 0xc000_0040 : 0x4000_0040, row + 36);
  }
  return Buffer.concat([header, ...sections.map(onPage)]);
}

/** A Mach-O file of 64 bits (`mach-o/loader.h`). */
export function machOFile(sections: readonly ProgramSection[]): Buffer {
  const commandSize = 72 + 80;
  const header = Buffer.alloc(page);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(0x0100_0007, 4);
  header.writeUInt32LE(2, 12);
  header.writeUInt32LE(sections.length, 16);
  header.writeUInt32LE(sections.length * commandSize, 20);
  for (const [index, { bytes, isWritable, name }] of sections.entries()) {
    const at = 32 + index * commandSize;
    const place = (index + 1) * page;
    header.writeUInt32LE(0x19, at);
    header.writeUInt32LE(commandSize, at + 4);
    header.write(isWritable ? '__DATA' : '__TEXT', at + 8, 'latin1');
    header.writeBigUInt64LE(BigInt(machBase + place), at + 24);
    header.writeBigUInt64LE(BigInt(bytes.length), at + 32);
    header.writeBigUInt64LE(BigInt(place), at + 40);
    header.writeBigUInt64LE(BigInt(bytes.length), at + 48);
    // Constants lie in a segment with the instructions.
    header.writeUInt32LE(isWritable ? 3 : 5, at + 60);
    header.writeUInt32LE(1, at + 64);
    header.write(name, at + 72, 16, 'latin1');
    header.writeBigUInt64LE(BigInt(machBase + place), at + 72 + 32);
    header.writeBigUInt64LE(BigInt(bytes.length), at + 72 + 40);
    header.writeUInt32LE(place, at + 72 + 48);
  }
  return Buffer.concat([header, ...sections.map(onPage)]);
}

/** Programs of several architectures in one file (`mach-o/fat.h`). */
export function universalFile(...programs: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(page);
  header.writeUInt32BE(0xcafebabe, 0);
  header.writeUInt32BE(programs.length, 4);
  let at = page;
  for (const [index, { length }] of programs.entries()) {
    header.writeUInt32BE(at, 8 + index * 20 + 8);
    header.writeUInt32BE(length, 8 + index * 20 + 12);
    at += length;
  }
  return Buffer.concat([header, ...programs]);
}

function onPage({ bytes }: ProgramSection): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(Math.ceil(bytes.length / page) * page - bytes.length)]);
}
