import { type Bytes, concat } from '../base/bytes.ts';

/** A stream read piece by piece: look ahead, take so many bytes, pass the rest on. */
export class ByteSource {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;
  #taken = 0;

  readonly #jump: ((count: number) => boolean) | undefined;

  /** `jump` moves a stream that can be moved so many bytes forward; `false`: its end was reached before. */
  constructor(bytes: Bytes, jump?: (count: number) => boolean) {
    this.#jump = jump;
    this.#iterator = bytes[Symbol.asyncIterator]();
  }

  /** Bytes handed out so far. */
  get taken(): number {
    return this.#taken;
  }

  /** The next `count` bytes without taking them; fewer only at the end. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#chunk.length < count && !this.#ended) {
      const more = await this.#pull();
      if (more !== undefined) {
        this.#chunk = concat([this.#chunk, more]);
      }
    }
    return this.#chunk.subarray(0, count);
  }

  /** Takes at most `limit` bytes, whatever lies ready; empty only at the end. */
  async some(limit: number): Promise<Uint8Array> {
    while (this.#chunk.length === 0 && !this.#ended) {
      this.#chunk = (await this.#pull()) ?? this.#chunk;
    }
    return this.#take(limit);
  }

  /**
   * As `some`, but `undefined` where one would have to wait: an await for each of a million tar entries is
   * slow.
   */
  ready(limit: number): Uint8Array | undefined {
    return this.#chunk.length === 0 ? undefined : this.#take(limit);
  }

  /** Takes exactly `count` bytes; fewer only at the end. For small counts: the bytes are held in memory. */
  async exactly(count: number): Promise<Uint8Array> {
    if (this.#chunk.length >= count) {
      return this.#take(count);
    }
    const pieces: Uint8Array[] = [];
    let size = 0;
    while (size < count) {
      const piece = await this.some(count - size);
      if (piece.length === 0) {
        break;
      }
      pieces.push(piece);
      size += piece.length;
    }
    return concat(pieces, size);
  }

  /** Leaves out `count` bytes; `false` if the stream ends before. */
  async skip(count: number): Promise<boolean> {
    let left = count - (this.ready(count)?.length ?? 0);
    if (left > 0 && this.#jump !== undefined) {
      this.#taken += left;
      return this.#jump(left);
    }
    while (left > 0) {
      const skipped = await this.some(left);
      if (skipped.length === 0) {
        return false;
      }
      left -= skipped.length;
    }
    return true;
  }

  async *rest(): Bytes {
    for (;;) {
      const chunk = await this.some(Number.MAX_SAFE_INTEGER);
      if (chunk.length === 0) {
        return;
      }
      yield chunk;
    }
  }

  async close(): Promise<void> {
    if (!this.#ended) {
      await this.#iterator.return?.();
    }
    this.#ended = true;
  }

  #take(limit: number): Uint8Array {
    const taken = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(taken.length);
    this.#taken += taken.length;
    return taken;
  }

  async #pull(): Promise<Uint8Array | undefined> {
    const next = await this.#iterator.next();
    if (next.done !== true) {
      return next.value;
    }
    this.#ended = true;
    return undefined;
  }
}
