import { gunzipSync } from 'node:zlib';

/** Where the table of contents lies in a blob. */
export interface TocPlace {
  readonly start: number;
  /** Compressed bytes. */
  readonly length: number;
}

/** Bytes at the end of a blob that tell where its table is. */
export const footerSize: Readonly<Record<'estargz' | 'zstd:chunked', number>> = {
  estargz: 51,
  'zstd:chunked': 64,
};

const magic = 'GNUlInUx';

/**
 * The footer of zstd:chunked (containers/storage, pkg/chunked/internal/compression.go): in a skippable frame
 * four numbers (position, length, plain length, type), three more in newer ones, and eight letters.
 *
 * @param size of the blob.
 */
export function parseZstdFooter(footer: Uint8Array, size: number): TocPlace | undefined {
  const bytes = Buffer.from(footer.buffer, footer.byteOffset, footer.length);
  if (bytes.length < 48 || bytes.toString('latin1', bytes.length - magic.length) !== magic) {
    return undefined;
  }
  // The frame says its own length: eight bytes for each number, and the letters.
  for (const numbers of [4, 7]) {
    const body = numbers * 8 + magic.length;
    const at = bytes.length - body;
    if (at >= 8 && bytes.readUInt32LE(at - 8) === 0x184d2a50 && bytes.readUInt32LE(at - 4) === body) {
      return toPlace(bytes.readBigUInt64LE(at), bytes.readBigUInt64LE(at + 8), size - body - 8);
    }
  }
  // Seven numbers and eight letters leave no room for the head of the frame in 64 bytes.
  return bytes.length === footerSize['zstd:chunked']
    ? toPlace(bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8), size - bytes.length)
    : undefined;
}

function toPlace(start: bigint, length: bigint, end: number): TocPlace | undefined {
  return length > 0n && start + length <= BigInt(Math.max(0, end))
    ? { start: Number(start), length: Number(length) }
    : undefined;
}

/**
 * The footer of eStargz (stargz-snapshotter, docs/estargz.md): an empty gzip member whose extra field `SG`
 * holds where the table begins, as 16 hexadecimal digits, and `STARGZ`.
 *
 * @param size of the blob.
 */
export function parseStargzFooter(footer: Uint8Array, size: number): TocPlace | undefined {
  const text = Buffer.from(footer).toString('latin1');
  const found = /^\x1f\x8b\x08\x04.{6}\x1a\x00SG\x16\x00([0-9a-f]{16})STARGZ/s.exec(text)?.[1];
  if (footer.length !== footerSize.estargz || found === undefined || !isEmptyMember(footer)) {
    return undefined;
  }
  const start = Number(BigInt(`0x${found}`));
  const end = size - footerSize.estargz;
  return start > 0 && start < end ? { start, length: end - start } : undefined;
}

function isEmptyMember(footer: Uint8Array): boolean {
  try {
    return gunzipSync(footer, { maxOutputLength: 1 }).length === 0;
  } catch {
    return false;
  }
}

/** The position that an annotation of zstd:chunked gives: `START:LENGTH:PLAIN:TYPE`. */
export function parseTocPosition(text: string, size: number): TocPlace | undefined {
  const [, start = '', length = ''] = /^(\d{1,15}):(\d{1,15}):\d{1,15}:1$/.exec(text) ?? [];
  return start === '' ? undefined : toPlace(BigInt(start), BigInt(length), size);
}
