import { createGunzip, createZstdDecompress } from 'node:zlib';
import { cannotTell } from '../base/error.ts';
import { BufferPool } from './buffers.ts';

/** Unpacked bytes are handed on in pieces of at most so many. */
const pieceSize = 512 * 1024;
const pool = new BufferPool(pieceSize);
const noInput = new Uint8Array(0);
const flush = { none: 0, finish: 4 } as const;

type WriteArguments = readonly [
  flush: number,
  input: Uint8Array,
  inputAt: number,
  inputLength: number,
  output: Uint8Array,
  outputAt: number,
  outputLength: number,
];

/** The engine of a stream of `node:zlib`: internal, and the same in Node 20 to 26. */
interface Engine {
  onerror: (message: string) => void;
  /** Called by the stream once a `write` has ended. */
  cb: () => void;
  /** In a thread of the pool. */
  write(...args: WriteArguments): void;
  /** In the calling thread. */
  writeSync(...args: WriteArguments): void;
  close(): void;
}

/** Where a piece of output goes. It is used again once the call returns. */
export type TakePiece = (piece: Uint8Array) => void;

/**
 * Unpacks gzip or zstd into two buffers that are used again: in the calling thread, or one piece ahead in a
 * thread of Node's pool, so that two cores work on one layer. The streams of `node:zlib` do the same with
 * small pieces and a new buffer for each: half of the time of a scan went there (docs/decisions/0009).
 */
export class Inflate {
  readonly #engine: Engine;
  /** Bytes of output and of input that the last call left unused. */
  readonly #left: Uint32Array;
  readonly #isGzip: boolean;
  readonly #what: string;
  /** Two, where one piece is unpacked ahead. */
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];
  #turn = 0;
  /** Unpacked and not handed on yet. */
  #held: Uint8Array = noInput;
  #problem: string | undefined;
  #wake: () => void = () => {};

  /** `undefined` where this Node has no such engine. */
  static open(compression: 'gzip' | 'zstd', what: string): Inflate | undefined {
    const stream =
      compression === 'gzip' ? createGunzip({ chunkSize: 64 }) : createZstdDecompress({ chunkSize: 64 });
    const { _handle: engine, _writeState: left } = stream as unknown as Record<
      '_handle' | '_writeState',
      unknown
    >;
    if (!isEngine(engine) || !(left instanceof Uint32Array) || left.length < 2) {
      return undefined;
    }
    // A stream that is gone takes no output: it only says that a `write` has ended.
    Object.defineProperty(stream, 'destroyed', { value: true });
    return new Inflate(engine, left, compression === 'gzip', what);
  }

  private constructor(engine: Engine, left: Uint32Array, isGzip: boolean, what: string) {
    this.#engine = engine;
    this.#left = left;
    this.#isGzip = isGzip;
    this.#what = what;
    engine.onerror = (message) => {
      this.#problem = message;
      this.#wake();
    };
    engine.cb = () => this.#wake();
  }

  /**
   * Hands on what `chunk` unpacks to.
   *
   * @throws TcfError `layer.compression` (exit 2).
   */
  push(chunk: Uint8Array, take: TakePiece): void {
    this.handOn(take);
    for (let at = 0, isFull = false; at < chunk.length || isFull; isFull = this.#isFull) {
      this.#engine.writeSync(...this.#next(flush.none, chunk, at));
      at = this.#done(chunk, at, take);
      this.handOn(take);
    }
  }

  /**
   * As `push`, while another thread unpacks the piece that follows: the last one of a chunk is handed on with
   * the next call.
   */
  async pushAhead(chunk: Uint8Array, take: TakePiece): Promise<void> {
    for (let at = 0, isFull = false; at < chunk.length || isFull; isFull = this.#isFull) {
      const written = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#turn = this.#buffers.length === 0 ? 0 : 1 - this.#turn;
      this.#engine.write(...this.#next(flush.none, chunk, at));
      try {
        this.handOn(take);
      } finally {
        // Until then the other thread uses the buffers.
        await written;
      }
      at = this.#done(chunk, at, take);
    }
  }

  /** @throws TcfError `layer.compression` (exit 2) where the last member of a gzip stream is cut off. */
  end(take: TakePiece): void {
    this.handOn(take);
    for (let isFull = this.#isGzip; isFull; isFull = this.#isFull) {
      this.#engine.writeSync(...this.#next(flush.finish, noInput, 0));
      this.#done(noInput, 0, take);
      this.handOn(take);
    }
    this.close();
  }

  /** What was unpacked and not handed on yet. */
  handOn(take: TakePiece): void {
    const piece = this.#held;
    this.#held = noInput;
    if (piece.length > 0) {
      take(piece);
    }
  }

  /** The pieces are no longer looked at. */
  close(): void {
    this.#engine.close();
    pool.give(...this.#buffers.splice(0));
  }

  get #isFull(): boolean {
    return this.#left[0] === 0;
  }

  #next(how: number, input: Uint8Array, at: number): WriteArguments {
    const output = this.#buffers[this.#turn] ?? pool.take();
    this.#buffers[this.#turn] = output;
    return [how, input, at, input.length - at, output, 0, output.length];
  }

  /** What the last call did. @returns where it stopped in `chunk`. */
  #done(chunk: Uint8Array, before: number, take: TakePiece): number {
    if (this.#problem !== undefined) {
      throw cannotTell('layer.compression', `cannot decompress ${this.#what}: ${this.#problem}`);
    }
    const [room = 0, unread = 0] = this.#left;
    this.#held = this.#buffers[this.#turn]?.subarray(0, pieceSize - room) ?? noInput;
    const at = chunk.length - unread;
    // Node ends at a zero byte after a member; Go, and so every engine, refuses the rest. What is refused
    // hides nothing.
    const isStuck = at === before && this.#held.length === 0 && unread > 0;
    if (isStuck || (this.#isGzip && unread > 0 && room > 0)) {
      this.handOn(take);
      throw cannotTell('layer.compression', `${this.#what} has something that is not gzip after its end`);
    }
    return at;
  }
}

function isEngine(value: unknown): value is Engine {
  return (
    typeof value === 'object' &&
    value !== null &&
    'write' in value &&
    'writeSync' in value &&
    'close' in value
  );
}
