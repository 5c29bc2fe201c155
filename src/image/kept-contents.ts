import { createHash } from 'node:crypto';
import { Arena, sharedPiece } from './columns.ts';
import { scanLimits } from './finds.ts';

/** Below this a second copy costs less than to look for it. */
const worthSharing = 512;

/**
 * The contents that are kept of one layer, each once: the copyright of boost has 2 MiB, and each of its 64
 * packages brings it.
 */
export class KeptContents {
  readonly #arena = new Arena();
  readonly #known: Map<string, Uint8Array> = new Map();
  /** For a content of which nobody knows yet whether it is kept. */
  readonly #small = new Uint8Array(sharedPiece);
  #left: number = scanLimits.layerContent;

  /** What the contents lie in. */
  get blocks(): readonly ArrayBuffer[] {
    return this.#arena.blocks;
  }

  /**
   * Room for a content of so many bytes, until the next one is asked for; `undefined` where it is too much.
   */
  reserve(size: number): Uint8Array | undefined {
    if (size > this.#left) {
      return undefined;
    }
    return size > sharedPiece ? new Uint8Array(size) : this.#small.subarray(0, size);
  }

  /** Keeps the content that the room was filled with. */
  keep(content: Uint8Array): Uint8Array {
    const key =
      content.length < worthSharing ? undefined : createHash('sha256').update(content).digest('latin1');
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) {
      return known;
    }
    this.#left -= content.length;
    const kept = this.#arena.keep(content);
    if (key !== undefined) {
      this.#known.set(key, kept);
    }
    return kept;
  }

  /** Keeps the first bytes of a file, whatever is left. */
  keepHead(head: Uint8Array): Uint8Array {
    return this.#arena.keep(head);
  }
}
