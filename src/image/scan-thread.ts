import type { MessagePort } from 'node:worker_threads';
import type { Cataloger } from '../catalogers/contract.ts';
import { LayerStream } from './layer-stream.ts';
import { readFileRange } from './read-layer.ts';
import { type LayerScan, LayerScanner } from './scan-layer.ts';
import { type ScanReply, type ScanRequest, toSentError } from './scan-messages.ts';
import { TarReader } from './tar.ts';
import { assembledPieces, readInPlace } from './tar-split.ts';

/** Reads layers for the thread at the other end of `port`, until that closes it. */
export function serveScans(port: MessagePort, catalogers: readonly Cataloger[]): void {
  const reply = (message: ScanReply, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, [...transfer]);
  let open: OpenLayer | undefined;
  const handle = async (request: ScanRequest): Promise<void> => {
    if (request.kind === 'chunk') {
      await open?.push(request.chunk);
      reply({ kind: 'more' });
      return;
    }
    if (request.kind === 'layer') {
      open = new OpenLayer(request, catalogers, (bytes) => reply({ kind: 'read', bytes }));
      if (!(await open.read(request))) {
        return;
      }
    }
    const finished = await open?.finish();
    open = undefined;
    if (finished !== undefined) {
      reply({ kind: 'scan', scan: finished.scan }, finished.buffers);
    }
  };
  // One after another, in the order in which they came.
  let handled = Promise.resolve();
  port.on('message', (request: ScanRequest) => {
    handled = handled
      .then(() => handle(request))
      .catch((error: unknown) => {
        open = undefined;
        reply({ kind: 'failed', error: toSentError(error) });
      });
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
  /** Bytes that were read and not told. */
  #untold = 0;
  /** Bytes of a layer that was read where it lies. */
  #inPlace: number | undefined;

  constructor(
    { layer, name, spare }: LayerRequest,
    catalogers: readonly Cataloger[],
    onRead: (bytes: number) => void,
  ) {
    this.#onRead = onRead;
    this.#scanner = new LayerScanner(catalogers);
    this.#tar = new TarReader(this.#scanner.visit, name);
    this.#stream = new LayerStream(layer, (chunk) => this.#tar.push(chunk), {
      isAhead: () => Atomics.load(spare, 0) > 0,
    });
  }

  /** Reads what this thread can reach by itself; `false`: the bytes are sent. */
  async read({ file, name, split }: LayerRequest): Promise<boolean> {
    if (file !== undefined) {
      await readFileRange(file, async (chunk) => {
        await this.push(chunk);
        this.#tell(chunk.length);
      });
    } else if (split === undefined) {
      return false;
    } else if (split.isVerified) {
      for (const piece of assembledPieces(split)) {
        await this.push(piece);
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

  async push(chunk: Uint8Array): Promise<void> {
    await this.#stream.push(chunk);
  }

  async finish(): Promise<{ readonly scan: LayerScan; readonly buffers: readonly ArrayBuffer[] }> {
    if (this.#inPlace === undefined) {
      await this.#stream.end();
      this.#tar.end();
    }
    const scan = this.#scanner.finish(this.#inPlace ?? this.#stream.size);
    const { paths, sizes, times, types } = scan;
    const columns = [paths.bytes, paths.ends, types, sizes, times].map(({ buffer }) => buffer);
    return { scan, buffers: [...columns, ...this.#scanner.blocks] };
  }
}
