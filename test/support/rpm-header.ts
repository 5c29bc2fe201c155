/**
 * A header as rpm stores it in its database: texts by tag, a list as one of many. Numbers and regions it has
 * none.
 */
export function rpmHeader(tags: Readonly<Record<number, string | readonly string[]>>): Buffer {
  const entries = Object.entries(tags);
  const index = Buffer.alloc(8 + entries.length * 16);
  const values: Buffer[] = [];
  let size = 0;
  for (const [at, [tag, value]] of entries.entries()) {
    const texts = typeof value === 'string' ? [value] : value;
    const bytes = Buffer.from(texts.map((text) => `${text}\0`).join(''));
    const place = 8 + at * 16;
    index.writeUInt32BE(Number(tag), place);
    index.writeUInt32BE(typeof value === 'string' ? 6 : 8, place + 4);
    index.writeUInt32BE(size, place + 8);
    index.writeUInt32BE(texts.length, place + 12);
    values.push(bytes);
    size += bytes.length;
  }
  index.writeUInt32BE(entries.length, 0);
  index.writeUInt32BE(size, 4);
  return Buffer.concat([index, ...values]);
}
