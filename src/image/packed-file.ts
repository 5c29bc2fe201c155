import type { Bytes } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { ByteSource } from './byte-source.ts';

/**
 * Byte ranges of what can only be read from its beginning: a compressed file, an answer of Docker. The stream
 * goes on from where the last range ended where that helps, and begins again where it does not: ranges that
 * are asked for in their order cost one pass. Nothing is kept.
 */
export class PackedFile implements AsyncDisposable {
  readonly #close: () => Promise<void>;
  readonly #open: () => Bytes;
  readonly #what: string;
  /** A stream that nobody reads from. */
  #idle: ByteSource | undefined;

  /** @param open gives the same bytes each time. */
  constructor(open: () => Bytes, close: () => Promise<void>, what: string) {
    this.#open = open;
    this.#close = close;
    this.#what = what;
  }

  /** The whole stream. */
  all(): Bytes {
    return this.#open();
  }

  /** @throws TcfError `image.archive` (exit 2) where the stream ends before; as the stream itself. */
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
    await this.#close();
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
