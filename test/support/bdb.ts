export interface BdbOptions {
  readonly order?: 'little' | 'big';
  readonly pageSize?: number;
  /** 2 before Berkeley DB 4.6. */
  readonly hashPage?: 2 | 13;
}

/** Where things lie in what `bdbOf` made, in bytes. */
export interface BuiltBdb {
  readonly file: Buffer;
  readonly pageSize: number;
  /** Hash pages, in order; each holds up to two packages. */
  readonly hashPages: readonly number[];
  /** Overflow pages of each package, in order; none for a short one, which stands in the hash page itself. */
  readonly chains: readonly (readonly number[])[];
}

/**
 * A Berkeley DB hash as rpm keeps its packages in: the counter under key 0, two packages on a hash page, long
 * ones in overflow pages.
 */
export function bdbOf(blobs: readonly Uint8Array[], options: BdbOptions = {}): BuiltBdb {
  const { order = 'little', pageSize = 512, hashPage = 13 } = options;
  const long = (page: Buffer, value: number, at: number) =>
    order === 'little' ? page.writeUInt32LE(value, at) : page.writeUInt32BE(value, at);
  const short = (page: Buffer, value: number, at: number) =>
    order === 'little' ? page.writeUInt16LE(value, at) : page.writeUInt16BE(value, at);
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    long(bytes, value, 0);
    return bytes;
  };

  const pages: Buffer[] = [Buffer.alloc(pageSize)];
  const addPage = (type: number): Buffer => {
    const page = Buffer.alloc(pageSize);
    long(page, pages.length, 8);
    page[25] = type;
    pages.push(page);
    return page;
  };
  const hashPages: number[] = [];
  const chains: number[][] = [];
  const records: { readonly key: Buffer; readonly value: Buffer }[] = [
    { key: number(0), value: Buffer.concat([Buffer.of(1), number(blobs.length)]) },
  ];
  const room = pageSize - 26;
  for (const [at, blob] of blobs.entries()) {
    const chain: number[] = [];
    chains.push(chain);
    const key = number(at + 1);
    if (blob.length <= pageSize / 4) {
      records.push({ key, value: Buffer.concat([Buffer.of(1), blob]) });
      continue;
    }
    const first = pages.length;
    for (let start = 0; start < blob.length; start += room) {
      chain.push(pages.length);
      const isLast = start + room >= blob.length;
      const page = addPage(7);
      if (!isLast) {
        long(page, pages.length, 16);
      }
      const part = blob.subarray(start, start + room);
      short(page, part.length, 22);
      page.set(part, 26);
    }
    records.push({ key, value: Buffer.concat([Buffer.of(3, 0, 0, 0), number(first), number(blob.length)]) });
  }
  for (let at = 0; at < records.length; at += 2) {
    hashPages.push(pages.length);
    const page = addPage(hashPage);
    const items = records
      .slice(at, at + 2)
      .flatMap(({ key, value }) => [Buffer.concat([Buffer.of(1), key]), value]);
    short(page, items.length, 20);
    let end = pageSize;
    for (const [index, item] of items.entries()) {
      end -= item.length;
      page.set(item, end);
      short(page, end, 26 + index * 2);
    }
    short(page, end, 22);
  }

  const head = pages[0] ?? Buffer.alloc(pageSize);
  long(head, 0x0006_1561, 12);
  long(head, hashPage === 2 ? 8 : 9, 16);
  long(head, pageSize, 20);
  head[25] = 8;
  long(head, pages.length - 1, 32);
  long(head, records.length, 88);
  return { file: Buffer.concat(pages), pageSize, hashPages, chains };
}
