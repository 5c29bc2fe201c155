import { createGunzip, createZstdDecompress } from 'node:zlib';
import { cannotTell } from '../base/error.ts';

/** Unpacked bytes are handed on from this buffer. */
const outSize = 512 * 1024;
const noInput = new Uint8Array(0);
const flush = { none: 0, finish: 4 } as const;

/** The engine of a stream of `node:zlib`: internal, and the same in Node 20 to 26. */
interface Engine {
  onerror: (message: string) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void;
  close(): void;
}

/**
 * Unpacks gzip or zstd in the calling thread, into one buffer that is used again. The streams of `node:zlib`
 * start a job on another thread for each chunk and allocate each chunk of output: with two layers at once,
 * half of the time of a scan went there (docs/decisions/0009).
 */
export class SyncInflate {
  readonly #engine: Engine;
  /** Bytes of output and of input that the last call left unused. */
  readonly #left: Uint32Array;
  readonly #nextOut: () => Uint8Array;
  readonly #isGzip: boolean;
  readonly #what: string;
  #problem: string | undefined;

  /**
   * `undefined` where this Node has no such engine. `nextOut` is where it unpacks to, asked for each piece.
   */
  static open(
    compression: 'gzip' | 'zstd',
    what: string,
    nextOut: () => Uint8Array = ownBuffer(),
  ): SyncInflate | undefined {
    const stream: unknown =
      compression === 'gzip' ? createGunzip({ chunkSize: 64 }) : createZstdDecompress({ chunkSize: 64 });
    const { _handle: engine, _writeState: left } = stream as Record<'_handle' | '_writeState', unknown>;
    if (!isEngine(engine) || !(left instanceof Uint32Array) || left.length < 2) {
      return undefined;
    }
    return new SyncInflate(engine, left, compression === 'gzip', what, nextOut);
  }

  private constructor(
    engine: Engine,
    left: Uint32Array,
    isGzip: boolean,
    what: string,
    nextOut: () => Uint8Array,
  ) {
    this.#nextOut = nextOut;
    this.#engine = engine;
    this.#left = left;
    this.#isGzip = isGzip;
    this.#what = what;
    engine.onerror = (message) => {
      this.#problem = message;
    };
  }

  /**
   * Hands on what `chunk` unpacks to; the pieces are used again.
   *
   * @throws TcfError `layer.compression` (exit 2).
   */
  push(chunk: Uint8Array, emit: (piece: Uint8Array) => void): void {
    for (let at = 0, isFull = false; at < chunk.length || isFull; ) {
      const before = at;
      const piece = this.#write(flush.none, chunk, at);
      at = chunk.length - (this.#left[1] ?? 0);
      isFull = this.#left[0] === 0;
      if (piece.length > 0) {
        emit(piece);
      }
      // Node ends at a zero byte after a member; Go, and so every engine, refuses the rest. What is refused
      // hides nothing.
      const isStuck = at === before && piece.length === 0 && at < chunk.length;
      if (isStuck || (this.#isGzip && at < chunk.length && !isFull)) {
        throw this.#wrong(`${this.#what} has something that is not gzip after its end`);
      }
    }
  }

  /** @throws TcfError `layer.compression` (exit 2) where the last member of a gzip stream is cut off. */
  end(emit: (piece: Uint8Array) => void): void {
    for (let isFull = this.#isGzip; isFull; isFull = this.#left[0] === 0) {
      const piece = this.#write(flush.finish, noInput, 0);
      if (piece.length > 0) {
        emit(piece);
      }
    }
    this.close();
  }

  close(): void {
    this.#engine.close();
  }

  #write(how: number, input: Uint8Array, at: number): Uint8Array {
    const out = this.#nextOut();
    this.#engine.writeSync(how, input, at, input.length - at, out, 0, out.length);
    if (this.#problem !== undefined) {
      throw this.#wrong(`cannot decompress ${this.#what}: ${this.#problem}`);
    }
    return out.subarray(0, out.length - (this.#left[0] ?? 0));
  }

  #wrong(message: string): Error {
    return cannotTell('layer.compression', message);
  }
}

/** One buffer that is used again. */
function ownBuffer(): () => Uint8Array {
  const buffer = new Uint8Array(outSize);
  return () => buffer;
}

function isEngine(value: unknown): value is Engine {
  return typeof value === 'object' && value !== null && 'writeSync' in value && 'close' in value;
}
