/** Buffers that are kept for the next layer: two are read into, two are unpacked into, of several layers at a time. */
const kept = 8;

/**
 * Large buffers of one size that are used again: an image may have a hundred layers of a few files, and each
 * would ask for some MiB of zeros.
 */
export class BufferPool {
  readonly #size: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** What stands in it is of no meaning. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#free.pop() ?? new Uint8Array(this.#size);
  }

  /** Nobody looks at these any more. */
  give(...buffers: readonly Uint8Array<ArrayBuffer>[]): void {
    this.#free.push(...buffers.slice(0, kept - this.#free.length));
  }
}
