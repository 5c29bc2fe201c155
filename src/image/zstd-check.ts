import { cannotTell, type TcfError } from '../base/error.ts';
import { maxBlock, restOfHeader, skippableMagic, zstdMagic } from './zstd-frames.ts';

/** What the next bytes are. */
type Part = 'magic' | 'descriptor' | 'header' | 'block' | 'body' | 'checksum' | 'skip-size' | 'skip';

/** In bytes, of the parts that always have the same. */
const sizes: Readonly<Record<Part, number>> = {
  magic: 4,
  descriptor: 1,
  header: 0,
  block: 3,
  body: 0,
  checksum: 4,
  'skip-size': 4,
  skip: 0,
};

/**
 * Follows the frames of a zstd stream (RFC 8878 section 3.1) without decompressing: a decompressor says
 * nothing about a frame that is cut off, which would hide files from a scanner.
 */
export class ZstdCheck {
  readonly #what: string;
  #part: Part = 'magic';
  /** Bytes of the part that are still to come, and the value of those that came, lowest first. */
  #left = 4;
  #value = 0;
  #shift = 0;
  #hasChecksum = false;
  #isLast = false;

  constructor(what: string) {
    this.#what = what;
  }

  /** @throws TcfError `layer.compression` (exit 2) for anything that is no frame. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const count = Math.min(this.#left, chunk.length - at);
      if (isNumber(this.#part)) {
        this.#number(chunk, at, count);
      }
      at += count;
      this.#left -= count;
      while (this.#left === 0) {
        this.#next();
      }
    }
  }

  /** @throws TcfError `layer.compression` (exit 2) for a frame that is cut off. */
  end(): void {
    if (this.#part === 'magic' && this.#left === 4) {
      return;
    }
    throw this.#broken(
      this.#part === 'magic' ? 'there is something that is not a frame' : 'a frame is cut off',
    );
  }

  #number(chunk: Uint8Array, at: number, count: number): void {
    for (let index = at; index < at + count; index += 1) {
      this.#value += (chunk[index] ?? 0) * 2 ** this.#shift;
      this.#shift += 8;
    }
  }

  #next(): void {
    const value = this.#value;
    this.#value = 0;
    this.#shift = 0;
    const last = this.#hasChecksum ? 'checksum' : 'magic';
    if (this.#part === 'magic') {
      this.#frame(value);
    } else if (this.#part === 'descriptor') {
      this.#header(value);
    } else if (this.#part === 'block') {
      this.#block(value);
    } else if (this.#part === 'skip-size') {
      this.#expect('skip', value);
    } else if (this.#part === 'header' || (this.#part === 'body' && !this.#isLast)) {
      this.#expect('block');
    } else {
      this.#expect(this.#part === 'body' ? last : 'magic');
    }
  }

  #frame(word: number): void {
    if (word === zstdMagic) {
      this.#expect('descriptor');
    } else if ((word & 0xfffffff0) >>> 0 === skippableMagic) {
      this.#expect('skip-size');
    } else {
      throw this.#broken('there is something that is not a frame');
    }
  }

  #header(descriptor: number): void {
    this.#hasChecksum = (descriptor & 4) !== 0;
    this.#expect('header', restOfHeader(descriptor));
  }

  #block(word: number): void {
    const type = (word >> 1) & 3;
    const length = word >> 3;
    if (type === 3 || length > maxBlock) {
      throw this.#broken('a block has a reserved type or size');
    }
    this.#isLast = (word & 1) === 1;
    this.#expect('body', type === 1 ? 1 : length);
  }

  #expect(part: Part, count: number = sizes[part]): void {
    this.#part = part;
    this.#left = count;
  }

  #broken(why: string): TcfError {
    return cannotTell('layer.compression', `cannot decompress ${this.#what}: ${why}`);
  }
}

function isNumber(part: Part): boolean {
  return part === 'magic' || part === 'descriptor' || part === 'block' || part === 'skip-size';
}
