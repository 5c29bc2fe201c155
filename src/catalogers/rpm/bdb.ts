import { maxHeader, maxRows, type Row } from './row.ts';

const magic = 0x0006_1561;
/**
 * Every page begins with LSN, its own number, those before and after it, the number of items, free space,
 * level and type.
 */
const pageHeader = 26;
/** The metadata page: the smallest one has 512 bytes, as the smallest page. */
const minPage = 512;
const maxPage = 64 * 1024;
const metadata = 8;
const overflow = 7;
/** Unsorted, before Berkeley DB 4.6 (CentOS 5), and sorted. */
const hashPages: ReadonlySet<number> = new Set([2, 13]);
/**
 * What an item of a hash page is: bytes, or where in overflow pages they lie. Duplicates (2, 4) rpm never has
 * here.
 */
const inline = 1;
const offPage = 3;

/**
 * The headers in `Packages`, a Berkeley DB hash of rpm 4 up to 4.15 (RHEL 5 to 8, Amazon Linux 2): every hash
 * page holds pairs of key and value, the value mostly in a chain of overflow pages (libdb
 * src/dbinc/db_page.h). Integers are in the byte order of the machine that wrote them. Hash pages are read
 * one after another and not by bucket, so one broken page loses only what it holds; an overflow page belongs
 * to one value, so no chain can lead in circles.
 */
export function* readBdb(database: Uint8Array): Generator<Row> {
  const file = openFile(database);
  if (typeof file === 'string') {
    return yield { where: 'the file', fault: file };
  }
  const { pages, number, stated } = file;
  if (pages <= number(32)) {
    yield { where: 'the file', fault: 'is cut off' };
  }
  const used = new Set<number>();
  let keys = 0;
  for (let page = 1; page < pages; page += 1) {
    if (!hashPages.has(file.typeOf(page))) {
      continue;
    }
    const where = `page ${page}`;
    const items = itemsOf(file, page);
    if (items === undefined) {
      yield { where, fault: 'has a broken index' };
      continue;
    }
    for (let at = 0; at + 1 < items.length; at += 2) {
      const [key, value] = [items[at], items[at + 1]];
      keys += 1;
      // Under key 0 rpm keeps the number it gave last.
      if (key === undefined || value === undefined || isZero(key)) {
        continue;
      }
      if (keys > maxRows) {
        return yield { where: 'the file', fault: `has more than ${maxRows} packages` };
      }
      yield { where: `entry ${at / 2} of ${where}`, ...blobOf(file, value, used) };
    }
  }
  if (keys < stated) {
    yield { where: 'the file', fault: `states ${stated} records and has ${keys}` };
  }
}

interface File {
  readonly bytes: Buffer;
  readonly pageSize: number;
  /** How many whole pages are there. */
  readonly pages: number;
  /** Keys in the table, as the metadata page counts them. */
  readonly stated: number;
  number(at: number): number;
  short(at: number): number;
  typeOf(page: number): number;
}

/** The file, or why it is no database of rpm: rpm neither encrypts, sums nor divides its databases. */
function openFile(database: Uint8Array): File | string {
  const bytes = Buffer.from(database.buffer, database.byteOffset, database.length);
  if (bytes.length < minPage) {
    return 'is not a Berkeley DB database';
  }
  const isLittle = bytes.readUInt32LE(12) === magic;
  if (!isLittle && bytes.readUInt32BE(12) !== magic) {
    return 'is not a Berkeley DB hash database';
  }
  const number = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const short = (at: number): number => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const pageSize = number(20);
  if (pageSize < minPage || pageSize > maxPage || (pageSize & (pageSize - 1)) !== 0) {
    return 'has an invalid page size';
  }
  if (bytes[24] !== 0 || bytes[25] !== metadata || (bytes[26] ?? 0) !== 0 || number(36) !== 0) {
    return 'is encrypted, summed or divided, as no database of rpm is';
  }
  const typeOf = (page: number): number => bytes[page * pageSize + 25] ?? 0;
  const pages = Math.floor(bytes.length / pageSize);
  return { bytes, pageSize, pages, stated: number(88), number, short, typeOf };
}

/**
 * The items of a hash page, by the offsets in its index. Each begins where the one after it ends, from the
 * end of the page down: whatever else the offsets say is a lie, so together they are never larger than the
 * page.
 */
function itemsOf({ bytes, pageSize, short }: File, page: number): readonly Buffer[] | undefined {
  const start = page * pageSize;
  const count = short(start + 20);
  if (count % 2 !== 0 || pageHeader + count * 2 > pageSize) {
    return undefined;
  }
  const items: Buffer[] = [];
  let end = pageSize;
  for (let at = 0; at < count; at += 1) {
    const offset = short(start + pageHeader + at * 2);
    if (offset < pageHeader + count * 2 || offset >= end) {
      return undefined;
    }
    items.push(bytes.subarray(start + offset, start + end));
    end = offset;
  }
  return items;
}

function isZero(key: Buffer): boolean {
  return key.length === 5 && key[0] === inline && key.readUInt32LE(1) === 0;
}

function blobOf(file: File, item: Buffer, used: Set<number>): Omit<Row, 'where'> {
  if (item[0] === inline) {
    return { blob: item.subarray(1) };
  }
  if (item[0] !== offPage || item.length !== 12) {
    return { fault: 'is of a kind that rpm does not write' };
  }
  const at = item.byteOffset - file.bytes.byteOffset;
  const length = file.number(at + 8);
  if (length > maxHeader || length > file.bytes.length) {
    return { fault: 'is too large' };
  }
  const parts: Buffer[] = [];
  let found = 0;
  for (let page = file.number(at + 4); found < length; ) {
    if (page === 0 || page >= file.pages || used.has(page) || file.typeOf(page) !== overflow) {
      return { fault: 'has a broken chain of overflow pages' };
    }
    used.add(page);
    const start = page * file.pageSize;
    const size = file.short(start + 22);
    if (size === 0 || pageHeader + size > file.pageSize) {
      return { fault: 'has a broken chain of overflow pages' };
    }
    parts.push(file.bytes.subarray(start + pageHeader, start + pageHeader + size));
    found += size;
    page = file.number(start + 16);
  }
  return found === length ? { blob: Buffer.concat(parts) } : { fault: 'has another length than it states' };
}
