import { concat } from '../base/bytes.ts';
import { ContentCheck, type Digest } from '../oci/digest.ts';
import {
  compressionOf,
  type DecompressLimits,
  decompressLimits,
  requireHonest,
  requireNamed,
} from './decompress.ts';
import { Inflate, type TakePiece } from './inflate.ts';
import { ZstdCheck } from './zstd-check.ts';

/** What it takes to read the bytes of a layer as they lie in a store. */
export interface PackedLayer {
  /** `` where the store names none: the bytes decide. */
  readonly mediaType: string;
  readonly diffId: Digest;
  /** For messages: `layer 0 of "oci:x"`. */
  readonly what: string;
}

/** Whether layers can be unpacked without the streams of `node:zlib`; see `Inflate`. */
export function hasInflate(): boolean {
  return (['gzip', 'zstd'] as const).every((compression) => {
    const inflate = Inflate.open(compression, '');
    inflate?.close();
    return inflate !== undefined;
  });
}

export interface LayerStreamOptions {
  readonly limits?: DecompressLimits;
  /** Whether a thread of Node's pool unpacks what comes next meanwhile; asked for each chunk. Default: no. */
  readonly isAhead?: () => boolean;
}

/**
 * A layer as it lies in a store, unpacked and checked against its diffID in one loop: no chunk is copied.
 * What `decompressed` and `checked` do with streams.
 *
 * @throws TcfError (exit 2) as these.
 */
export class LayerStream {
  readonly #layer: PackedLayer;
  readonly #sink: TakePiece;
  readonly #limits: DecompressLimits;
  readonly #isAhead: () => boolean;
  readonly #check: ContentCheck;
  /** The first bytes, while they are too few to tell a compression by. */
  #head: Uint8Array | undefined = new Uint8Array(0);
  #inflate: Inflate | undefined;
  #frames: ZstdCheck | undefined;
  #taken = 0;
  #size = 0;

  /** `sink` takes the plain bytes; they are used again. */
  constructor(
    layer: PackedLayer,
    sink: TakePiece,
    { isAhead = () => false, limits = decompressLimits }: LayerStreamOptions = {},
  ) {
    this.#layer = layer;
    this.#sink = sink;
    this.#limits = limits;
    this.#isAhead = isAhead;
    this.#check = new ContentCheck(layer.diffId, undefined, layer.what);
  }

  /** Plain bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** The chunk may be used again once this is done, and not before. */
  async push(chunk: Uint8Array): Promise<void> {
    if (this.#head === undefined) {
      await this.#unpack(chunk);
      return;
    }
    this.#head = this.#head.length === 0 ? chunk : concat([this.#head, chunk]);
    if (this.#head.length >= 4) {
      await this.#begin(this.#head);
    } else {
      this.#head = Uint8Array.from(this.#head);
    }
  }

  async end(): Promise<void> {
    if (this.#head !== undefined) {
      await this.#begin(this.#head);
    }
    this.#frames?.end();
    this.#inflate?.end(this.#emit);
    this.#check.end();
  }

  async #begin(head: Uint8Array): Promise<void> {
    const { mediaType, what } = this.#layer;
    this.#head = undefined;
    const compression = compressionOf(head);
    requireNamed(mediaType, compression, what);
    if (compression !== 'none') {
      this.#inflate = Inflate.open(compression, what);
    }
    if (compression === 'zstd') {
      this.#frames = new ZstdCheck(what);
    }
    await this.#unpack(head);
  }

  async #unpack(chunk: Uint8Array): Promise<void> {
    this.#follow(chunk);
    if (this.#inflate === undefined) {
      this.#taken += chunk.length;
      this.#emit(chunk);
    } else if (this.#isAhead()) {
      // What is handed on first is of the chunks before.
      const unpacking = this.#inflate.pushAhead(chunk, this.#emit);
      this.#taken += chunk.length;
      await unpacking;
    } else {
      this.#taken += chunk.length;
      this.#inflate.push(chunk, this.#emit);
    }
  }

  #follow(chunk: Uint8Array): void {
    try {
      this.#frames?.push(chunk);
    } catch (error) {
      // What is wrong in the bytes before is told first.
      this.#inflate?.handOn(this.#emit);
      throw error;
    }
  }

  readonly #emit = (piece: Uint8Array): void => {
    this.#size += piece.length;
    requireHonest(this.#size, this.#taken, this.#limits, this.#layer.what);
    this.#check.push(piece);
    this.#sink(piece);
  };
}
