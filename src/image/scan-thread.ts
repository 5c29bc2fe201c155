import type { MessagePort } from 'node:worker_threads';
import type { Cataloger } from '../catalogers/contract.ts';
import { decompressLimits } from './decompress.ts';
import { LayerStream } from './layer-stream.ts';
import { readFileRange } from './read-layer.ts';
import { type LayerScan, LayerScanner } from './scan-layer.ts';
import { type ScanReply, type ScanRequest, toSentError } from './scan-messages.ts';
import { RingWriter } from './shared-hash.ts';
import { TarReader } from './tar.ts';
import { assembledPieces, readInPlace } from './tar-split.ts';

/** Reads layers for the thread at the other end of `port`, until that closes it. */
export function serveScans(port: MessagePort, catalogers: readonly Cataloger[]): void {
  const reply = (message: ScanReply, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, [...transfer]);
  let open: OpenLayer | undefined;
  const handle = (request: ScanRequest): void => {
    if (request.kind === 'chunk') {
      open?.push(request.chunk);
      reply({ kind: 'more' });
      return;
    }
    if (request.kind === 'layer') {
      open = new OpenLayer(request, catalogers, (bytes) => reply({ kind: 'read', bytes }));
      if (!open.read(request)) {
        return;
      }
    }
    const finished = open?.finish();
    open = undefined;
    if (finished !== undefined) {
      reply({ kind: 'scan', scan: finished.scan }, finished.buffers);
    }
  };
  port.on('message', (request: ScanRequest) => {
    try {
      handle(request);
    } catch (error) {
      open?.abandon();
      open = undefined;
      reply({ kind: 'failed', error: toSentError(error) });
    }
  });
  reply({ kind: 'ready' });
}

/** Bytes between two messages about them. */
const toldAt = 8 * 1024 * 1024;

type LayerRequest = Extract<ScanRequest, { kind: 'layer' }>;

class OpenLayer {
  readonly #scanner: LayerScanner;
  readonly #tar: TarReader;
  readonly #stream: LayerStream;
  readonly #onRead: (bytes: number) => void;
  readonly #ring: RingWriter | undefined;
  #isEnded = false;
  /** Bytes that were read and not told. */
  #untold = 0;
  /** Bytes of a layer that was read where it lies. */
  #inPlace: number | undefined;

  constructor(
    { layer, name, ring }: LayerRequest,
    catalogers: readonly Cataloger[],
    onRead: (bytes: number) => void,
  ) {
    this.#onRead = onRead;
    this.#scanner = new LayerScanner(catalogers);
    this.#tar = new TarReader(this.#scanner.visit, name);
    this.#ring = ring && new RingWriter(ring);
    this.#stream = new LayerStream(layer, (chunk) => this.#tar.push(chunk), decompressLimits, this.#ring);
  }

  /** Reads what this thread can reach by itself; `false`: the bytes are sent. */
  read({ file, name, split }: LayerRequest): boolean {
    if (file !== undefined) {
      readFileRange(file, (chunk) => {
        this.push(chunk);
        this.#tell(chunk.length);
      });
    } else if (split === undefined) {
      return false;
    } else if (split.isVerified) {
      for (const piece of assembledPieces(split)) {
        this.push(piece);
        this.#tell(piece.length);
      }
    } else {
      this.#inPlace = readInPlace(
        split,
        (entry) => {
          this.#tell(entry.size);
          return this.#scanner.visit(entry);
        },
        name,
        this.#scanner.skip,
      );
    }
    return true;
  }

  /** A message for each chunk would cost more than it says. */
  #tell(bytes: number): void {
    this.#untold += bytes;
    if (this.#untold >= toldAt) {
      this.#onRead(this.#untold);
      this.#untold = 0;
    }
  }

  push(chunk: Uint8Array): void {
    this.#stream.push(chunk);
  }

  /** The layer is bad: nobody is to wait for the rest of it. */
  abandon(): void {
    if (!this.#isEnded) {
      this.#ring?.abandon();
    }
  }

  finish(): { readonly scan: LayerScan; readonly buffers: readonly ArrayBuffer[] } {
    if (this.#inPlace === undefined) {
      this.#stream.end();
      this.#isEnded = true;
      this.#tar.end();
    }
    const scan = this.#scanner.finish(this.#inPlace ?? this.#stream.size);
    const { paths, sizes, times, types } = scan;
    const columns = [paths.bytes, paths.ends, types, sizes, times].map(({ buffer }) => buffer);
    return { scan, buffers: [...columns, ...this.#scanner.blocks] };
  }
}
