import { maxHeader, maxRows, type Row } from './row.ts';

const pageSize = 4096;
const slotSize = 16;
const word = (text: string): number => Buffer.from(text, 'latin1').readUInt32LE(0);

/**
 * The headers in `Packages.db` of SUSE's ndb (rpm lib/backend/ndb/rpmpkg.c): slots point to blobs in blocks
 * of 16 bytes.
 */
export function* readNdb(database: Uint8Array): Generator<Row> {
  const file = Buffer.from(database.buffer, database.byteOffset, database.length);
  if (file.length < 32 || file.readUInt32LE(0) !== word('RpmP') || file.readUInt32LE(4) !== 0) {
    return yield { where: 'the file', fault: 'is not an ndb database' };
  }
  const end = file.readUInt32LE(12) * pageSize;
  if (end > file.length) {
    yield { where: 'the file', fault: 'is cut off' };
  }
  let rows = 0;
  for (let at = 32; at + slotSize <= Math.min(end, file.length); at += slotSize) {
    const number = file.readUInt32LE(at + 4);
    const where = `package ${number}`;
    if (file.readUInt32LE(at) !== word('Slot')) {
      yield { where: `slot ${at / slotSize}`, fault: 'is none' };
      continue;
    }
    const offset = file.readUInt32LE(at + 8) * 16;
    if (number === 0 || offset === 0) {
      continue;
    }
    rows += 1;
    if (rows > maxRows) {
      return yield { where: 'the file', fault: `has more than ${maxRows} packages` };
    }
    yield blobAt(file, offset, number, where);
  }
}

function blobAt(file: Buffer, offset: number, number: number, where: string): Row {
  if (offset + 16 > file.length) {
    return { where, fault: 'lies outside the file' };
  }
  const length = file.readUInt32LE(offset + 12);
  const isOurs = file.readUInt32LE(offset) === word('BlbS') && file.readUInt32LE(offset + 4) === number;
  if (!isOurs || length > maxHeader || offset + 16 + length > file.length) {
    return { where, fault: 'has a broken blob' };
  }
  return { where, blob: file.subarray(offset + 16, offset + 16 + length) };
}
