import { inflateRawSync } from 'node:zlib';
import { compact } from '../../base/compact.ts';

/** What a zipped egg says of itself. */
export interface Egg {
  readonly info: Uint8Array;
  /** `requires.txt`; absent where it asks for nothing. */
  readonly requires?: Uint8Array;
}

/** PKG-INFO with the longest description seen has 200 kB; a bomb of 16 MiB would unpack to 16 GiB. */
const maxText = 1024 * 1024;
/** Without zip64 the format has no more. */
const maxEntries = 65_535;
const endSize = 22;
const centralSize = 46;
const localSize = 30;

/** Whether a path is a zipped egg among installed packages. A directory of that name is none. */
export function isZippedEgg(path: string): boolean {
  return /(?:^|\/)(?:site|dist)-packages\/[^/]+\.egg$/.test(path);
}

/**
 * Reads the two texts of a zipped egg by its central directory (APPNOTE 4.3.12); `undefined` where it cannot
 * be read.
 */
export function parseEgg(content: Uint8Array): Egg | undefined {
  const zip = Buffer.from(content.buffer, content.byteOffset, content.length);
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0 || end + endSize > zip.length) {
    return undefined;
  }
  const count = Math.min(zip.readUInt16LE(end + 10), maxEntries);
  let at = zip.readUInt32LE(end + 16);
  let info: Uint8Array | undefined;
  let requires: Uint8Array | undefined;
  for (let index = 0; index < count; index += 1) {
    if (at + centralSize > zip.length || zip.readUInt32LE(at) !== 0x02014b50) {
      return undefined;
    }
    const nameEnd = at + centralSize + zip.readUInt16LE(at + 28);
    const name = zip.toString('latin1', at + centralSize, nameEnd);
    if (name === 'EGG-INFO/PKG-INFO' || name === 'EGG-INFO/requires.txt') {
      const text = textAt(zip, at);
      const isInfo = name === 'EGG-INFO/PKG-INFO';
      // A name given twice says two things, and 65,000 times it would unpack for hours. What is damaged is
      // not "asks for nothing".
      if (text === undefined || (isInfo ? info : requires) !== undefined) {
        return undefined;
      }
      if (isInfo) {
        info = text;
      } else {
        requires = text;
      }
    }
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  if (info === undefined) {
    return undefined;
  }
  return compact({ info, requires });
}

/**
 * The content of the entry at this place of the central directory: sizes stand there, the data behind the
 * local header.
 */
function textAt(zip: Buffer, central: number): Uint8Array | undefined {
  const method = zip.readUInt16LE(central + 10);
  const size = zip.readUInt32LE(central + 20);
  const local = zip.readUInt32LE(central + 42);
  if (local + localSize > zip.length || zip.readUInt32LE(local) !== 0x04034b50) {
    return undefined;
  }
  const start = local + localSize + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  if (start + size > zip.length) {
    return undefined;
  }
  const packed = zip.subarray(start, start + size);
  if (method === 0) {
    return size > maxText ? undefined : packed;
  }
  if (method !== 8) {
    return undefined;
  }
  try {
    return inflateRawSync(packed, { maxOutputLength: maxText });
  } catch (error) {
    // Damaged, or larger than the limit.
    if (error instanceof Error && 'code' in error) {
      return undefined;
    }
    throw error;
  }
}
