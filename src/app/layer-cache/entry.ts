import { concat, encodeUtf8 } from '../../base/bytes.ts';

/** A record of a layer, and the bundle with the statement that names it. */
export interface CacheEntry {
  readonly bundle: Uint8Array;
  readonly record: Uint8Array;
}

/*
 * As bytes in a shared cache: `tcf layer entry 1\n`, four bytes with the length of the bundle, the bundle,
 * the record.
 */

const magic = encodeUtf8('tcf layer entry 1\n');
const head = magic.length + 4;

/**
 * Bytes of a record that is shared: the largest of image M has 4.5 MiB. Several entries are fetched at a time,
 * before anybody has proven them; a layer that says more is read by everybody.
 */
export const maxSharedRecord: number = 64 * 1024 * 1024;
/** The bundle names every layer that was signed with it: 1,000 take 200 KiB. */
const maxBundle = 4 * 1024 * 1024;
/** Bytes; what is longer is no entry. */
export const maxCacheEntry: number = head + maxBundle + maxSharedRecord;

export function formatCacheEntry({ bundle, record }: CacheEntry): Uint8Array {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bundle.length);
  return concat([magic, length, bundle, record]);
}

/** `undefined` for what is no entry. Nothing in it is proven. */
export function parseCacheEntry(bytes: Uint8Array): CacheEntry | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (
    bytes.length < head ||
    bytes.length > maxCacheEntry ||
    !buffer.subarray(0, magic.length).equals(magic)
  ) {
    return undefined;
  }
  const end = head + buffer.readUInt32BE(magic.length);
  return end > bytes.length ? undefined : { bundle: bytes.subarray(head, end), record: bytes.subarray(end) };
}
