import { maxHeader, maxRows, type Row } from './row.ts';
import { readWal } from './wal.ts';

/** A b-tree of a database of this size is 4 deep. */
const maxDepth = 20;

interface Cell {
  readonly rowid: number;
  readonly payload: Uint8Array;
}

/** The headers in table Packages of `rpmdb.sqlite` with its write-ahead log. */
export function* readSqlite(database: Uint8Array, log: Uint8Array | undefined): Generator<Row> {
  for (const row of readTable(database, log, 'Packages')) {
    if ('fault' in row) {
      yield row;
      continue;
    }
    const blob = row.columns[1];
    const where = `row ${row.rowid}`;
    yield blob === undefined ? { where, fault: 'holds no header' } : { where, blob };
  }
}

/** A row of a table: its number and its columns, numbers big-endian; or where and why there is none. */
export type TableRow =
  | { readonly rowid: number; readonly columns: readonly (Uint8Array | undefined)[] }
  | Fault;

/**
 * The rows of a table (sqlite.org/fileformat2.html): table b-trees and overflow pages, each page read once at
 * most, so no pointer can make a loop. A key that SQLite takes from the row's number is no column.
 */
export function* readTable(
  database: Uint8Array,
  log: Uint8Array | undefined,
  table: string,
): Generator<TableRow> {
  const main = Buffer.from(database.buffer, database.byteOffset, database.length);
  const wal = log === undefined || log.length === 0 ? undefined : readWal(log);
  if (log !== undefined && log.length > 0 && wal === undefined) {
    yield { where: 'the write-ahead log', fault: 'cannot be read' };
  }
  const first = wal?.pages.get(1) ?? (main.length >= 100 ? main.subarray(0, 100) : undefined);
  const head = first === undefined ? undefined : Buffer.from(first.buffer, first.byteOffset, first.length);
  if (head?.toString('latin1', 0, 16) !== 'SQLite format 3\0') {
    return yield { where: 'the file', fault: 'is not an SQLite database' };
  }
  const stated = head.readUInt16BE(16);
  const pageSize = stated === 1 ? 65536 : stated;
  const usable = pageSize - (head[20] ?? 0);
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0 || usable < 480) {
    return yield { where: 'the file', fault: 'has an invalid page size' };
  }
  const pages = wal?.pageSize === pageSize ? wal.pages : undefined;
  if (wal !== undefined && pages === undefined) {
    yield { where: 'the write-ahead log', fault: 'has pages of another size' };
  }
  const seen = new Set<number>();
  const page = (number: number): Buffer | undefined => {
    if (number === 0 || seen.has(number)) {
      return undefined;
    }
    seen.add(number);
    const newer = pages?.get(number);
    if (newer !== undefined) {
      return Buffer.from(newer.buffer, newer.byteOffset, newer.length);
    }
    const start = (number - 1) * pageSize;
    return start + pageSize <= main.length ? main.subarray(start, start + pageSize) : undefined;
  };

  let root: number | undefined;
  for (const cell of walk(1, page, usable, 0)) {
    if ('fault' in cell) {
      yield cell;
      continue;
    }
    const [type, name, , rootPage] = columns(cell.payload);
    if (columnText(type) === 'table' && columnText(name) === table) {
      root = numberOf(rootPage);
    }
  }
  if (root === undefined) {
    return yield { where: 'the file', fault: `has no table ${table}` };
  }
  // The schema may end on pages that the table may not use, but a table rooted in page 1 would show nothing
  // twice.
  let rows = 0;
  for (const cell of walk(root, page, usable, 0)) {
    if ('fault' in cell) {
      yield cell;
      continue;
    }
    rows += 1;
    if (rows > maxRows) {
      return yield { where: `the table ${table}`, fault: `has more than ${maxRows} rows` };
    }
    yield { rowid: cell.rowid, columns: columns(cell.payload) };
  }
}

type Pages = (number: number) => Buffer | undefined;
type Fault = Row & { readonly fault: string };

function* walk(number: number, page: Pages, usable: number, depth: number): Generator<Cell | Fault> {
  const content = page(number);
  const where = `page ${number}`;
  if (content === undefined || depth > maxDepth) {
    return yield { where, fault: 'is missing or linked twice' };
  }
  const start = number === 1 ? 100 : 0;
  const type = content[start];
  if (type !== 5 && type !== 13) {
    return yield { where, fault: 'is not a page of a table' };
  }
  const count = content.readUInt16BE(start + 3);
  const pointers = start + (type === 5 ? 12 : 8);
  if (pointers + count * 2 > usable) {
    return yield { where, fault: 'has more cells than room' };
  }
  for (let at = 0; at < count; at += 1) {
    const offset = content.readUInt16BE(pointers + at * 2);
    if (type === 13) {
      yield leafCell(content, offset, page, usable, `cell ${at} of ${where}`);
    } else if (offset + 4 > usable) {
      yield { where, fault: 'has a cell outside the page' };
    } else {
      yield* walk(content.readUInt32BE(offset), page, usable, depth + 1);
    }
  }
  if (type === 5) {
    yield* walk(content.readUInt32BE(start + 8), page, usable, depth + 1);
  }
}

/** Payload that does not fit goes on in a chain of overflow pages (section 1.6). */
function leafCell(content: Buffer, offset: number, page: Pages, usable: number, where: string): Cell | Fault {
  const [length, afterLength] = varint(content, offset);
  const [rowid, start] = varint(content, afterLength);
  if (length > maxHeader) {
    return { where, fault: 'is too large' };
  }
  const most = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fit = least + ((length - least) % (usable - 4));
  const spilled = fit <= most ? fit : least;
  const local = length <= most ? length : spilled;
  if (start + local + (local < length ? 4 : 0) > usable) {
    return { where, fault: 'lies outside the page' };
  }
  if (local === length) {
    return { rowid, payload: content.subarray(start, start + length) };
  }
  const parts = [content.subarray(start, start + local)];
  let left = length - local;
  let next = content.readUInt32BE(start + local);
  while (left > 0) {
    const more = page(next);
    if (more === undefined) {
      return { where, fault: 'has a broken chain of overflow pages' };
    }
    const part = more.subarray(4, Math.min(usable, 4 + left));
    parts.push(part);
    left -= part.length;
    next = more.readUInt32BE(0);
  }
  return { rowid, payload: Buffer.concat(parts) };
}

const zeroAndOne: readonly Uint8Array[] = [Uint8Array.of(0), Uint8Array.of(1)];

/** The columns of a record as bytes; numbers stay big-endian. */
function columns(record: Uint8Array): readonly (Uint8Array | undefined)[] {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
  const [headerSize, first] = varint(bytes, 0);
  const found: (Uint8Array | undefined)[] = [];
  let at = first;
  let body = headerSize;
  while (at < Math.min(headerSize, bytes.length) && found.length < 16) {
    const [type, next] = varint(bytes, at);
    const size = type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type] ?? 0);
    const isThere = type !== 0 && body + size <= bytes.length;
    // The numbers 0 and 1 are types of their own and take no room.
    found.push(isThere ? (zeroAndOne[type - 8] ?? bytes.subarray(body, body + size)) : undefined);
    body += size;
    at = next;
  }
  return found;
}

function varint(bytes: Buffer, start: number): readonly [number, number] {
  let value = 0;
  for (let at = 0; at < 9; at += 1) {
    const byte = bytes[start + at] ?? 0;
    if (at === 8) {
      return [value * 256 + byte, start + 9];
    }
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      return [value, start + at + 1];
    }
  }
  return [value, start + 9];
}

export function columnText(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('utf8');
}

export function numberOf(bytes: Uint8Array | undefined): number {
  let value = 0;
  for (const byte of bytes ?? []) {
    value = value * 256 + byte;
  }
  return value;
}
