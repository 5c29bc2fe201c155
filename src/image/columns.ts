/**
 * Lists without an object for each item: what a layer says goes from one thread to another without being
 * copied.
 */

/** Texts of one character for each byte, one after another. */
export interface TextColumn {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each text ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** The texts of a column, by their places. */
export function textsOf({ bytes, ends }: TextColumn): (index: number) => string {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return (index) => all.toString('latin1', index === 0 ? 0 : ends[index - 1], ends[index]);
}

/** Grows as it is filled. */
export class TextColumnBuilder {
  #bytes: Buffer<ArrayBuffer> = Buffer.alloc(64 * 1024);
  readonly #ends = new NumberColumn();
  #filled = 0;

  /** A text in latin1. */
  push(text: string): void {
    if (this.#filled + text.length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#filled + text.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#filled += this.#bytes.write(text, this.#filled, 'latin1');
    this.#ends.push(this.#filled);
  }

  finish(): TextColumn {
    return {
      bytes: new Uint8Array(this.#bytes.subarray(0, this.#filled)),
      ends: Uint32Array.from(this.#ends.finish()),
    };
  }
}

/** Numbers; grows as it is filled. */
export class NumberColumn {
  #values = new Float64Array(4096);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count] = value;
    this.#count += 1;
  }

  finish(): Float64Array<ArrayBuffer> {
    return this.#values.slice(0, this.#count);
  }
}

/** Pieces above this have a block of their own. */
export const sharedPiece: number = 64 * 1024;
const blockSize = 256 * 1024;

/** Room for many small pieces of bytes in few blocks, each of which can be handed to another thread. */
export class Arena {
  readonly blocks: ArrayBuffer[] = [];
  #left = 0;

  /** A piece with these bytes; a large one that has a buffer of its own is taken over. */
  keep(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const { buffer } = bytes;
    if (bytes.length > sharedPiece && buffer.byteLength === bytes.length && buffer instanceof ArrayBuffer) {
      this.blocks.unshift(buffer);
      return new Uint8Array(buffer);
    }
    const kept = this.#take(bytes.length);
    kept.set(bytes);
    return kept;
  }

  #take(size: number): Uint8Array<ArrayBuffer> {
    if (size > sharedPiece) {
      const own = new ArrayBuffer(size);
      // The last block stays the one that is filled.
      this.blocks.unshift(own);
      return new Uint8Array(own);
    }
    if (size > this.#left) {
      this.blocks.push(new ArrayBuffer(blockSize));
      this.#left = blockSize;
    }
    const block = this.blocks.at(-1) ?? new ArrayBuffer(size);
    this.#left -= size;
    return new Uint8Array(block, block.byteLength - this.#left - size, size);
  }
}
