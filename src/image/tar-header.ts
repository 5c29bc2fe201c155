/** One 512-byte block of a tar archive, read as Go's archive/tar does (reader.go, strconv.go, format.go). */

export const blockSize = 512;

export type TarFormat = 'gnu' | 'star' | 'ustar' | 'v7';

export interface RawHeader {
  readonly format: TarFormat;
  /** Bytes as latin1. */
  readonly name: string;
  readonly linkName: string;
  /** The type flag: one character. */
  readonly flag: string;
  readonly size: number;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly block: Buffer;
}

export function isZero(block: Uint8Array): boolean {
  for (const byte of block) {
    if (byte !== 0) {
      return false;
    }
  }
  return true;
}

/** `undefined` where Go says ErrHeader: a wrong checksum or a number that is none. */
export function readHeader(bytes: Uint8Array): RawHeader | undefined {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset, blockSize);
  if (!hasRightChecksum(block)) {
    return undefined;
  }
  const format = formatOf(block);
  const size = readNumber(block, 124, 136);
  const modified = readNumber(block, 136, 148);
  // Mode, uid and gid say nothing here, but Go refuses an archive in which they are no numbers.
  const isSound =
    size !== undefined &&
    modified !== undefined &&
    readNumber(block, 100, 108) !== undefined &&
    readNumber(block, 108, 116) !== undefined &&
    readNumber(block, 116, 124) !== undefined &&
    (format === 'v7' ||
      (readNumber(block, 329, 337) !== undefined && readNumber(block, 337, 345) !== undefined));
  if (!isSound) {
    return undefined;
  }
  const prefix = readPrefix(block, format);
  if (prefix === undefined) {
    return undefined;
  }
  const name = readText(block, 0, 100);
  return {
    format,
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: readText(block, 157, 257),
    flag: String.fromCharCode(block[156] ?? 0),
    size,
    modified,
    block,
  };
}

function hasRightChecksum(block: Buffer): boolean {
  const expected = readOctal(block, 148, 156);
  if (expected === undefined) {
    return false;
  }
  let unsigned = 8 * 32;
  for (let at = 0; at < blockSize; at += 1) {
    if (at < 148 || at >= 156) {
      unsigned += block[at] ?? 0;
    }
  }
  if (unsigned === expected) {
    return true;
  }
  let signed = 8 * 32;
  for (let at = 0; at < blockSize; at += 1) {
    if (at < 148 || at >= 156) {
      signed += block.readInt8(at);
    }
  }
  return signed === expected;
}

function formatOf(block: Buffer): TarFormat {
  const magic = block.toString('latin1', 257, 265);
  if (magic.startsWith('ustar\0')) {
    return block.toString('latin1', 508, 512) === 'tar\0' ? 'star' : 'ustar';
  }
  return magic === 'ustar  \0' ? 'gnu' : 'v7';
}

function readPrefix(block: Buffer, format: TarFormat): string | undefined {
  if (format === 'ustar') {
    return readText(block, 345, 500);
  }
  if (format === 'star') {
    const areNumbers = readNumber(block, 476, 488) !== undefined && readNumber(block, 488, 500) !== undefined;
    return areNumbers ? readText(block, 345, 476) : undefined;
  }
  if (format === 'gnu' && !(isTime(block, 345) && isTime(block, 357))) {
    // Go before 1.8 wrote a prefix over the two times of the GNU format, and Go still reads it so.
    const prefix = readText(block, 345, 500);
    return /^[\0-\x7f]*$/.test(prefix) ? prefix : '';
  }
  return '';
}

function isTime(block: Buffer, at: number): boolean {
  return block[at] === 0 || readNumber(block, at, at + 12) !== undefined;
}

/** Up to the first NUL. */
export function readText(block: Buffer, start: number, end: number): string {
  const zero = block.indexOf(0, start);
  return block.toString('latin1', start, zero < 0 || zero > end ? end : zero);
}

/** Octal, or base 256 where the highest bit is set. `undefined`: no number, or one beyond 2^53. */
export function readNumber(block: Buffer, start: number, end: number): number | undefined {
  const first = block[start] ?? 0;
  if ((first & 0x80) === 0) {
    return readOctal(block, start, end);
  }
  const isNegative = (first & 0x40) !== 0;
  const bytes = Uint8Array.from(block.subarray(start, end), (byte) => (isNegative ? byte ^ 0xff : byte));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  let value = 0;
  for (const byte of bytes) {
    value = value * 256 + byte;
  }
  if (value > Number.MAX_SAFE_INTEGER) {
    return undefined;
  }
  return isNegative ? -value - 1 : value;
}

function readOctal(block: Buffer, start: number, end: number): number | undefined {
  let from = start;
  let to = end;
  while (from < to && isPadding(block[from])) {
    from += 1;
  }
  while (to > from && isPadding(block[to - 1])) {
    to -= 1;
  }
  let value = 0;
  for (let at = from; at < to; at += 1) {
    const byte = block[at] ?? 0;
    if (byte === 0) {
      return at === from ? undefined : value;
    }
    if (byte < 0x30 || byte > 0x37) {
      return undefined;
    }
    value = value * 8 + byte - 0x30;
  }
  return value;
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0 || byte === 0x20;
}
