/**
 * One rpm header: tags to values. Every read is checked against the store, so a lying index costs this header
 * only.
 */
export interface Header {
  /** The string of a tag, the first of several; `undefined` where there is none. */
  text(tag: number): string | undefined;
  texts(tag: number): readonly string[];
  /** How many values the index states; each of a list of texts or numbers takes a byte at least. */
  count(tag: number): number;
  /** Unsigned numbers of 16 or 32 bits. */
  numbers(tag: number): readonly number[];
  bytes(tag: number): Uint8Array | undefined;
}

/** A header that cannot be read; `message` says why, without a stranger's text. */
export class BadHeader extends Error {}

/** Limits of rpm itself (lib/header.c): 64 Ki entries, 256 MiB of data. */
const maxEntries = 0xffff;
const maxData = 256 * 1024 * 1024;
const regionTag = 63;
const bin = 7;

/**
 * Reads a header as rpm stores it in its database: counts, index of 16 bytes for each entry, store. Entries
 * behind the immutable region replace those of the same tag in it.
 *
 * @throws BadHeader
 */
export function parseHeader(blob: Uint8Array): Header {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  if (bytes.length < 8) {
    throw new BadHeader('is cut off');
  }
  const count = bytes.readUInt32BE(0);
  const size = bytes.readUInt32BE(4);
  if (count === 0 || count > maxEntries || size > maxData) {
    throw new BadHeader('has counts out of range');
  }
  if (8 + count * 16 + size > bytes.length) {
    throw new BadHeader('is cut off');
  }
  const store = bytes.subarray(8 + count * 16, 8 + count * 16 + size);
  const entries = new Map<number, Entry>();
  for (let at = 0; at < count; at += 1) {
    const place = 8 + at * 16;
    const entry = {
      type: bytes.readUInt32BE(place + 4),
      offset: bytes.readUInt32BE(place + 8),
      count: bytes.readUInt32BE(place + 12),
    };
    const tag = bytes.readUInt32BE(place);
    if (tag === regionTag) {
      checkRegion(entry, at, count, store);
    }
    if (entry.type < 1 || entry.type > 9) {
      throw new BadHeader('has an entry of an unknown type');
    }
    if (entry.offset > store.length) {
      throw new BadHeader('has an entry outside its store');
    }
    entries.set(tag, entry);
  }
  return {
    text: (tag) => strings(entries.get(tag), store, 1)[0],
    texts: (tag) => strings(entries.get(tag), store, maxStrings),
    count: (tag) => entries.get(tag)?.count ?? 0,
    numbers: (tag) => numbers(entries.get(tag), store),
    bytes: (tag) => binary(entries.get(tag), store),
  };
}

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

/** The largest package lists 100,000 files (kernel sources, texlive). */
const maxStrings = 1_000_000;

function checkRegion({ type, offset, count }: Entry, at: number, entries: number, store: Buffer): void {
  if (at !== 0 || type !== bin || count !== 16 || offset + 16 > store.length) {
    throw new BadHeader('has a broken immutable region');
  }
  const length = -store.readInt32BE(offset + 8);
  if (store.readUInt32BE(offset) !== regionTag || length % 16 !== 0 || length < 16 || length / 16 > entries) {
    throw new BadHeader('has a broken immutable region');
  }
}

function strings(entry: Entry | undefined, store: Buffer, limit: number): readonly string[] {
  if (entry === undefined) {
    return [];
  }
  const { type, offset, count } = entry;
  if (type !== 6 && type !== 8 && type !== 9) {
    throw new BadHeader('has a text that is of another type');
  }
  // Each string takes a byte at least: a count beyond the store is a lie, found before any work.
  if (count > store.length - offset || count > maxStrings) {
    throw new BadHeader('has more texts than bytes');
  }
  const found: string[] = [];
  let start = offset;
  for (let at = 0; at < Math.min(type === 6 ? 1 : count, limit); at += 1) {
    const end = store.indexOf(0, start);
    if (end < 0) {
      throw new BadHeader('has a text without an end');
    }
    found.push(store.toString('utf8', start, end));
    start = end + 1;
  }
  return found;
}

function numbers(entry: Entry | undefined, store: Buffer): readonly number[] {
  if (entry === undefined) {
    return [];
  }
  const { type, offset, count } = entry;
  // RPM_INT16_TYPE and RPM_INT32_TYPE.
  const width = new Map([
    [3, 2],
    [4, 4],
  ]).get(type);
  if (width === undefined) {
    throw new BadHeader('has a number that is of another type');
  }
  if (offset + count * width > store.length) {
    throw new BadHeader('has numbers outside its store');
  }
  return Array.from({ length: count }, (_, at) => store.readUIntBE(offset + at * width, width));
}

function binary(entry: Entry | undefined, store: Buffer): Uint8Array | undefined {
  if (entry === undefined || entry.type !== bin) {
    return undefined;
  }
  if (entry.offset + entry.count > store.length) {
    throw new BadHeader('has bytes outside its store');
  }
  return store.subarray(entry.offset, entry.offset + entry.count);
}
