import { createHash } from 'node:crypto';

/** The namespace of our name-based UUIDs: a random UUID, drawn once. */
const namespace = '6f1d8a52-3c0e-4b7e-9a64-2f5b0d7c91e8';

/** A UUID of version 5 (RFC 9562 section 5.5) over a list of texts. */
export function uuidV5(...parts: readonly string[]): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(JSON.stringify(parts))
    .digest();
  const bytes = hash.subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** SHA-256 of a text in UTF-8, lower-case hexadecimal. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
