/** The newest committed state of each page in a write-ahead log (sqlite.org/fileformat2.html, section 4). */
export interface Wal {
  readonly pageSize: number;
  readonly pages: ReadonlyMap<number, Uint8Array>;
}

/**
 * Reads the frames up to the last commit; a frame of an older log or with a wrong checksum ends it, as in
 * SQLite.
 */
export function readWal(bytes: Uint8Array): Wal | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.length < 32) {
    return undefined;
  }
  const magic = file.readUInt32BE(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) {
    return undefined;
  }
  const isBig = magic === 0x377f0683;
  const pageSize = file.readUInt32BE(8);
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) {
    return undefined;
  }
  let sums = checksum(file.subarray(0, 24), [0, 0], isBig);
  if (sums[0] !== file.readUInt32BE(24) || sums[1] !== file.readUInt32BE(28)) {
    return undefined;
  }
  const pages = new Map<number, Uint8Array>();
  let open = new Map<number, Uint8Array>();
  for (let at = 32; at + 24 + pageSize <= file.length; at += 24 + pageSize) {
    if (file.compare(file, 16, 24, at + 8, at + 16) !== 0) {
      break;
    }
    const page = file.subarray(at + 24, at + 24 + pageSize);
    sums = checksum(page, checksum(file.subarray(at, at + 8), sums, isBig), isBig);
    if (sums[0] !== file.readUInt32BE(at + 16) || sums[1] !== file.readUInt32BE(at + 20)) {
      break;
    }
    open.set(file.readUInt32BE(at), page);
    if (file.readUInt32BE(at + 4) === 0) {
      continue;
    }
    for (const [number, content] of open) {
      pages.set(number, content);
    }
    open = new Map();
  }
  return { pageSize, pages };
}

type Sums = readonly [number, number];

function checksum(bytes: Buffer, [first, second]: Sums, isBig: boolean): Sums {
  let a = first;
  let b = second;
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + (isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + b) >>> 0;
    b = (b + (isBig ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + a) >>> 0;
  }
  return [a, b];
}
