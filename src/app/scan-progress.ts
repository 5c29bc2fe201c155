import { compact } from '../base/compact.ts';
import type { ImageLayer } from '../image/contract.ts';
import type { ScanObserver } from '../image/scan-layers.ts';
import { formatScanState, type ScanState } from '../report/progress-line.ts';
import type { Host } from '../system/host.ts';
import { type Progress, startProgress } from '../system/progress.ts';

/** A layer that was read, and how large it is. */
export interface ScannedLayer {
  readonly index: number;
  readonly diffId: string;
  readonly createdBy?: string;
  /** Without its compression. */
  readonly bytes: number;
  /** As the source keeps it, where that is known. */
  readonly stored?: number;
}

/** Tells the person at the terminal how far the reading of an image is, and everybody else nothing. */
export function startScanProgress(
  host: Host,
): Progress & { readonly layers: () => readonly ScannedLayer[]; readonly observer: ScanObserver } {
  const count = new LayerCount(() => host.now().getTime());
  const progress = startProgress(host, (columns) => formatScanState(count.state(), columns));
  return {
    ...progress,
    layers: () => count.scanned(),
    observer: {
      begins: (layers) => count.begins(layers),
      read: (layer, bytes) => {
        count.read(layer, bytes);
        progress.touch();
      },
      ended: (layer, bytes) => {
        count.ended(layer, bytes);
        progress.touch();
      },
    },
  };
}

class LayerCount {
  readonly #now: () => number;
  readonly #read = new Map<ImageLayer, number>();
  readonly #unpacked = new Map<ImageLayer, number>();
  #layers: readonly ImageLayer[] = [];
  #ended = 0;
  #start: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
  }

  begins(layers: readonly ImageLayer[]): void {
    this.#layers = layers;
    this.#start = this.#now();
  }

  read(layer: ImageLayer, bytes: number): void {
    this.#read.set(layer, (this.#read.get(layer) ?? 0) + bytes);
  }

  /** What a cache answers was not read, and is behind us all the same. */
  ended(layer: ImageLayer, bytes: number): void {
    this.#ended += 1;
    this.#unpacked.set(layer, bytes);
    this.#read.set(layer, layer.stored.size ?? this.#read.get(layer) ?? 0);
  }

  scanned(): readonly ScannedLayer[] {
    return this.#layers.map((layer) => {
      const { createdBy, diffId, index, stored } = layer;
      return compact({
        index,
        diffId,
        createdBy,
        bytes: this.#unpacked.get(layer) ?? 0,
        stored: stored.size,
      });
    });
  }

  state(): ScanState {
    const sizes = this.#layers.map(({ stored }) => stored.size);
    const isKnown = sizes.every((size) => size !== undefined);
    return compact({
      layers: this.#layers.length,
      ended: this.#ended,
      read: [...this.#read.values()].reduce((sum, bytes) => sum + bytes, 0),
      total: isKnown ? sizes.reduce((sum: number, size) => sum + (size ?? 0), 0) : undefined,
      elapsed: this.#now() - this.#start,
    });
  }
}
