import { cannotTell } from './error.ts';
import { formatBytes } from './size.ts';

/** A stream of bytes, in chunks of any size. */
export type Bytes = AsyncIterable<Uint8Array>;

/**
 * Reads a whole stream into memory, at most `limit` bytes of it.
 *
 * @throws TcfError `bytes.too-large` (exit 2) as soon as one byte too many arrives: a stranger never decides
 *   how much memory tcf takes (CVE-2024-29902, CVE-2023-25656 and their kind).
 */
export async function collect(bytes: Bytes, limit: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > limit) {
      throw cannotTell('bytes.too-large', `${what} is larger than the limit of ${formatBytes(limit)}`);
    }
    chunks.push(chunk);
  }
  return concat(chunks, size);
}

export function concat(chunks: readonly Uint8Array[], size?: number): Uint8Array {
  if (chunks.length === 1 && chunks[0] !== undefined) {
    return chunks[0];
  }
  const whole = new Uint8Array(size ?? chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

/** One chunk as a stream. */
export async function* bytesOf(...chunks: readonly Uint8Array[]): Bytes {
  yield* chunks;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes UTF-8 and refuses what is not; `undefined` where the bytes are not UTF-8. A byte order mark is
 * kept.
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * Standard base64 (RFC 4648 section 4) with its padding; `undefined` for anything else. `Buffer.from` skips
 * what it does not know, so two different texts would decode to the same signature.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? new Uint8Array(bytes) : undefined;
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
