import type { FileHandle } from 'node:fs/promises';
import type { Bytes } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { ByteSource } from './byte-source.ts';
import { decompressed } from './decompress.ts';
import { range } from './files.ts';

/**
 * Byte ranges of a compressed file. There is no way into the middle of one, so the stream goes on from where
 * the last range ended where that helps, and begins again where it does not: layers that are asked for in the
 * order of the file cost one pass. Nothing is kept.
 */
export class PackedFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #what: string;
  /** A stream that nobody reads from. */
  #idle: ByteSource | undefined;

  constructor(handle: FileHandle, what: string) {
    this.#handle = handle;
    this.#what = what;
  }

  /** The whole unpacked stream. */
  all(): Bytes {
    return decompressed(range(this.#handle), '', this.#what);
  }

  /** @throws TcfError `image.archive` (exit 2) where the stream ends before; as `decompressed`. */
  async *range(start: number, length: number): Bytes {
    const source = await this.#sourceAt(start);
    try {
      for (let left = length; left > 0; ) {
        const chunk = await source.some(left);
        if (chunk.length === 0) {
          throw cannotTell('image.archive', `${this.#what} changed while it was read`);
        }
        left -= chunk.length;
        yield chunk;
      }
    } finally {
      await this.#release(source);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#idle?.close();
    await this.#handle.close();
  }

  async #sourceAt(start: number): Promise<ByteSource> {
    const idle = this.#idle;
    const source = idle !== undefined && idle.taken <= start ? idle : new ByteSource(this.all());
    if (source === idle) {
      this.#idle = undefined;
    }
    await source.skip(start - source.taken);
    return source;
  }

  /** Of two idle streams the one that is further back fits more ranges. */
  async #release(source: ByteSource): Promise<void> {
    const other = this.#idle;
    const isBetter = other === undefined || source.taken < other.taken;
    this.#idle = isBetter ? source : other;
    await (isBetter ? other : source)?.close();
  }
}
