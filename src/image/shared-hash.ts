import { ContentCheck, type Digest } from '../oci/digest.ts';

/** Pieces that are on their way between two threads. */
const slots = 4;
const slotSize = 512 * 1024;
/** Places in `control`: pieces that were written and hashed, then the length of each slot. */
const [written, hashed, lengths] = [0, 1, 2] as const;
/** A length: the layer has ended, or its reader has given up. */
const [ended, abandoned] = [-1, -2] as const;

/** Memory of two threads, of which one unpacks a layer into it and the other hashes what is there. */
export interface HashRing {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
}

/** `undefined` where a thread cannot wait for another one without blocking. */
export function newHashRing(): HashRing | undefined {
  if (typeof Atomics.waitAsync !== 'function') {
    return undefined;
  }
  return {
    control: new Int32Array(new SharedArrayBuffer(4 * (lengths + slots))),
    bytes: new Uint8Array(new SharedArrayBuffer(slots * slotSize)),
  };
}

/** Before it is used for another layer. */
export function clearHashRing({ control }: HashRing): void {
  control.fill(0);
}

/** Whether the layer was written to its end. */
export function hasEnded({ control }: HashRing): boolean {
  const count = Atomics.load(control, written);
  return count > 0 && Atomics.load(control, lengths + ((count - 1) % slots)) === ended;
}

/** The side that unpacks. It waits where the other one is behind. */
export class RingWriter {
  readonly #control: HashRing['control'];
  readonly #bytes: HashRing['bytes'];
  #count = 0;

  constructor({ bytes, control }: HashRing) {
    this.#control = control;
    this.#bytes = bytes;
  }

  /** Where the next piece goes; it is free until `push`. */
  slot(): Uint8Array {
    for (let done = this.#hashed(); this.#count - done >= slots; done = this.#hashed()) {
      Atomics.wait(this.#control, hashed, done);
    }
    const at = (this.#count % slots) * slotSize;
    return this.#bytes.subarray(at, at + slotSize);
  }

  /** A piece of any size: in the slot already, or copied there. */
  push(piece: Uint8Array): void {
    if (piece.buffer === this.#bytes.buffer) {
      this.#tell(piece.length);
      return;
    }
    for (let at = 0; at < piece.length; at += slotSize) {
      const part = piece.subarray(at, at + slotSize);
      this.slot().set(part);
      this.#tell(part.length);
    }
  }

  /** All pieces were written. Whether they are what they should be, the other side says. */
  end(): void {
    this.slot();
    this.#tell(ended);
  }

  /** Nobody needs the rest. */
  abandon(): void {
    this.slot();
    this.#tell(abandoned);
  }

  #hashed(): number {
    return Atomics.load(this.#control, hashed);
  }

  #tell(length: number): void {
    Atomics.store(this.#control, lengths + (this.#count % slots), length);
    this.#count += 1;
    Atomics.store(this.#control, written, this.#count);
    Atomics.notify(this.#control, written);
  }
}

/**
 * The side that hashes, in a thread that goes on with other things meanwhile: resolves once the layer has
 * ended or was abandoned, or `signal` is raised.
 *
 * @throws TcfError as `ContentCheck` (exit 2).
 */
export async function hashRing(
  { bytes, control }: HashRing,
  diffId: Digest,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const check = new ContentCheck(diffId, undefined, what);
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  for (let done = 0; !signal.aborted; ) {
    while (done < Atomics.load(control, written)) {
      const slot = done % slots;
      const length = Atomics.load(control, lengths + slot);
      if (length === ended) {
        check.end();
      }
      if (length < 0) {
        return;
      }
      check.push(bytes.subarray(slot * slotSize, slot * slotSize + length));
      done += 1;
      Atomics.store(control, hashed, done);
      Atomics.notify(control, hashed);
    }
    const wait = Atomics.waitAsync(control, written, done);
    if (wait.async) {
      await Promise.race([wait.value, stopped]);
    }
  }
}
