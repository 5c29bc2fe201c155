import { concat } from '../base/bytes.ts';
import { ContentCheck, type Digest } from '../oci/digest.ts';
import {
  type Compression,
  compressionOf,
  type DecompressLimits,
  decompressLimits,
  requireHonest,
  requireNamed,
} from './decompress.ts';
import type { RingWriter } from './shared-hash.ts';
import { SyncInflate } from './sync-inflate.ts';
import { ZstdCheck } from './zstd-check.ts';

/** What it takes to read the bytes of a layer as they lie in a store. */
export interface PackedLayer {
  /** `` where the store names none: the bytes decide. */
  readonly mediaType: string;
  readonly diffId: Digest;
  /** For messages: `layer 0 of "oci:x"`. */
  readonly what: string;
}

/** Whether layers can be unpacked in the calling thread; see `SyncInflate`. */
export function hasSyncInflate(): boolean {
  return (['gzip', 'zstd'] as const).every((compression) => {
    const inflate = SyncInflate.open(compression, '');
    inflate?.close();
    return inflate !== undefined;
  });
}

/**
 * A layer as it lies in a store, unpacked and checked against its diffID in one loop: no chunk is copied,
 * none waits. What `decompressed` and `checked` do with streams.
 *
 * @throws TcfError (exit 2) as these.
 */
export class LayerStream {
  readonly #layer: PackedLayer;
  readonly #sink: (chunk: Uint8Array) => void;
  readonly #limits: DecompressLimits;
  readonly #check: Pick<ContentCheck, 'end' | 'push'>;
  readonly #ring: RingWriter | undefined;
  /** The first bytes, while they are too few to tell a compression by. */
  #head: Uint8Array | undefined = new Uint8Array(0);
  #compression: Compression = 'none';
  #inflate: SyncInflate | undefined;
  #frames: ZstdCheck | undefined;
  #taken = 0;
  #size = 0;

  /** `sink` takes the plain bytes; they are used again. With `ring` another thread hashes and checks them. */
  constructor(
    layer: PackedLayer,
    sink: (chunk: Uint8Array) => void,
    limits: DecompressLimits = decompressLimits,
    ring?: RingWriter,
  ) {
    this.#ring = ring;
    this.#layer = layer;
    this.#sink = sink;
    this.#limits = limits;
    this.#check = ring ?? new ContentCheck(layer.diffId, undefined, layer.what);
  }

  /** Plain bytes so far. */
  get size(): number {
    return this.#size;
  }

  push(chunk: Uint8Array): void {
    if (this.#head === undefined) {
      this.#unpack(chunk);
      return;
    }
    this.#head = this.#head.length === 0 ? chunk : concat([this.#head, chunk]);
    if (this.#head.length >= 4) {
      this.#begin(this.#head);
    } else {
      this.#head = Uint8Array.from(this.#head);
    }
  }

  end(): void {
    if (this.#head !== undefined) {
      this.#begin(this.#head);
    }
    this.#frames?.end();
    this.#inflate?.end(this.#emit);
    this.#check.end();
  }

  #begin(head: Uint8Array): void {
    const { mediaType, what } = this.#layer;
    this.#head = undefined;
    this.#compression = compressionOf(head);
    requireNamed(mediaType, this.#compression, what);
    if (this.#compression !== 'none') {
      const ring = this.#ring;
      this.#inflate = SyncInflate.open(this.#compression, what, ring && (() => ring.slot()));
    }
    if (this.#compression === 'zstd') {
      this.#frames = new ZstdCheck(what);
    }
    this.#unpack(head);
  }

  #unpack(chunk: Uint8Array): void {
    this.#taken += chunk.length;
    this.#frames?.push(chunk);
    if (this.#compression === 'none') {
      this.#emit(chunk);
    } else {
      this.#inflate?.push(chunk, this.#emit);
    }
  }

  readonly #emit = (piece: Uint8Array): void => {
    this.#size += piece.length;
    requireHonest(this.#size, this.#taken, this.#limits, this.#layer.what);
    this.#check.push(piece);
    this.#sink(piece);
  };
}
