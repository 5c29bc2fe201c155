import { maxHeader, maxRows, type Row } from './row.ts';

const hashMagic = 0x00061561;
const pageHeader = 26;

/** The headers in `Packages` of Berkeley DB (dbinc/db_page.h): a hash, its values mostly in chains of overflow pages. */
export function* readBdb(database: Uint8Array): Generator<Row> {
  const file = Buffer.from(database.buffer, database.byteOffset, database.length);
  const isLittle = file.length >= 512 && file.readUInt32LE(12) === hashMagic;
  if (file.length < 512 || (!isLittle && file.readUInt32BE(12) !== hashMagic))
    return yield { where: 'the file', fault: 'is no Berkeley DB hash' };
  const u32 = (at: number): number => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const u16 = (at: number): number => (isLittle ? file.readUInt16LE(at) : file.readUInt16BE(at));
  const size = u32(20);
  if (size < 512 || size > 65536 || (size & (size - 1)) !== 0 || file[24] !== 0)
    return yield { where: 'the file', fault: 'has a page size that is none, or is encrypted' };
  const seen = new Set<number>();
  let rows = 0;

  const overflow = (first: number, length: number): Uint8Array | string => {
    if (length > maxHeader) return 'is too large';
    const parts: Buffer[] = [];
    let left = length;
    for (let page = first; left > 0; page = u32(page * size + 16)) {
      const base = page * size;
      // Each page is read once: no chain runs in circles.
      if (page === 0 || seen.has(page) || base + size > file.length || file[base + 25] !== 7)
        return 'has a broken chain of overflow pages';
      seen.add(page);
      const used = Math.min(u16(base + 22), size - pageHeader, left);
      if (used === 0) return 'has a broken chain of overflow pages';
      parts.push(file.subarray(base + pageHeader, base + pageHeader + used));
      left -= used;
    }
    return Buffer.concat(parts);
  };

  if ((u32(32) + 1) * size > file.length) yield { where: 'the file', fault: 'is cut off' };
  for (let base = size; base + size <= file.length; base += size) {
    const type = file[base + 25];
    if (type !== 13 && type !== 2) continue;
    const count = u16(base + 20);
    const page = `page ${base / size}`;
    if (pageHeader + count * 2 > size) {
      yield { where: page, fault: 'has more items than room' };
      continue;
    }
    const item = (index: number): number => u16(base + pageHeader + index * 2);
    for (let index = 1; index < count; index += 2) {
      const where = `item ${index} of ${page}`;
      const key = item(index - 1);
      const start = item(index);
      if (key + 5 > size || start >= key || start < pageHeader) {
        yield { where, fault: 'lies outside the page' };
        continue;
      }
      // Key 0 holds the highest number in use and no header.
      if (u32(base + key + 1) === 0) continue;
      rows += 1;
      if (rows > maxRows) return yield { where: page, fault: `comes after ${maxRows} packages` };
      const kind = file[base + start];
      if (kind === 1) yield { where, blob: file.subarray(base + start + 1, base + key) };
      else if (kind === 3 && start + 12 <= size) {
        const blob = overflow(u32(base + start + 4), u32(base + start + 8));
        yield typeof blob === 'string' ? { where, fault: blob } : { where, blob };
      } else yield { where, fault: 'is of a kind that holds no header' };
    }
  }
}
