import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { compact } from '../base/compact.ts';
import type { ImageLayer } from './contract.ts';
import { nameOf, type ReadOptions, toPacked } from './read-layer.ts';
import type { LayerScan } from './scan-layer.ts';
import { fromSentError, type ScanReply, type ScanRequest } from './scan-messages.ts';

/**
 * Chunks of a layer that are on their way to a thread: it never waits for the next one, and memory stays
 * small.
 */
const chunksAhead = 8;

/** As `ReadOptions`; a thread always has a signal to end by. */
type PoolReadOptions = Required<Pick<ReadOptions, 'signal'>> & Pick<ReadOptions, 'onRead'>;

/** Threads of Node's pool: more layers than that at a time do not unpack one piece ahead. */
const poolThreads = 4;

/** Threads that read layers. */
export class ScanPool implements AsyncDisposable {
  readonly #idle: ScanThread[];
  readonly #all: readonly ScanThread[];
  /** See `ScanRequest`. */
  readonly #spare = new Int32Array(new SharedArrayBuffer(4));

  private constructor(threads: readonly ScanThread[]) {
    this.#all = threads;
    this.#idle = [...threads];
  }

  /** `undefined` where no thread can be started: then layers are read in this one. */
  static async open(count: number, start: () => Worker): Promise<ScanPool | undefined> {
    const threads: ScanThread[] = [];
    for (let at = 0; at < count; at += 1) {
      const thread = startThread(start);
      if (thread !== undefined) {
        threads.push(thread);
      }
    }
    const ready = await Promise.all(threads.map(async (thread) => ((await thread.ready) ? [thread] : [])));
    return ready.flat().length === 0 ? undefined : new ScanPool(ready.flat());
  }

  get size(): number {
    return this.#all.length;
  }

  /** No more than `size` at a time. @throws TcfError as `readLayer`. */
  async scan(layer: ImageLayer, options: PoolReadOptions): Promise<LayerScan> {
    const thread = this.#idle.pop();
    if (thread === undefined) {
      throw new RangeError('more layers than threads');
    }
    this.#countSpare();
    try {
      return await thread.scan(layer, options, this.#spare);
    } finally {
      this.#idle.push(thread);
      this.#countSpare();
    }
  }

  /** Layers that have their thread may have a second one where a core is left. */
  #countSpare(): void {
    const busy = this.#all.length - this.#idle.length;
    Atomics.store(this.#spare, 0, Math.min(availableParallelism(), poolThreads + 1) - busy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread.stop()));
  }
}

function startThread(start: () => Worker): ScanThread | undefined {
  try {
    return new ScanThread(start());
  } catch {
    // No memory, no such file in this form of the program, not allowed (--permission): this thread reads the
    // layers.
    return undefined;
  }
}

class ScanThread {
  /** `false` where it ends before it takes requests. */
  readonly ready: Promise<boolean>;
  readonly #worker: Worker;
  #listen: (reply: ScanReply) => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor(worker: Worker) {
    this.#worker = worker;
    this.ready = new Promise((resolve) => {
      this.#listen = (reply) => resolve(reply.kind === 'ready');
      this.#fail = () => resolve(false);
    });
    worker.on('message', (reply: ScanReply) => this.#listen(reply));
    worker.on('error', (error: unknown) =>
      this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
    worker.on('exit', () => this.#fail(new Error('a thread that read a layer has ended')));
  }

  async scan(
    layer: ImageLayer,
    { onRead, signal }: PoolReadOptions,
    spare: Int32Array<SharedArrayBuffer>,
  ): Promise<LayerScan> {
    const { file, split } = layer.stored;
    const done = this.#answer(signal, onRead);
    this.#send({
      kind: 'layer',
      layer: toPacked(layer),
      name: nameOf(layer),
      spare,
      ...compact({ file, split }),
    });
    if (file !== undefined || split !== undefined) {
      return await done.scan;
    }
    // What is awaited first need not be what fails first.
    done.scan.catch(() => undefined);
    for await (const chunk of layer.stored.open()) {
      signal.throwIfAborted();
      await done.room();
      if (done.isSettled()) {
        break;
      }
      onRead?.(chunk.length);
      const copy = Uint8Array.from(chunk);
      this.#send({ kind: 'chunk', chunk: copy }, [copy.buffer]);
    }
    if (!done.isSettled()) {
      this.#send({ kind: 'end' });
    }
    return await done.scan;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(request: ScanRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer);
  }

  /** What becomes of the layer that is sent now. */
  #answer(
    signal: AbortSignal,
    onRead: PoolReadOptions['onRead'],
  ): {
    readonly scan: Promise<LayerScan>;
    readonly room: () => Promise<void>;
    readonly isSettled: () => boolean;
  } {
    const { promise, reject, resolve } = Promise.withResolvers<LayerScan>();
    let sent = 0;
    let isSettled = false;
    let wake = () => {};
    const settle = (end: () => void) => {
      isSettled = true;
      signal.removeEventListener('abort', stop);
      end();
      wake();
    };
    const stop = () => settle(() => reject(new Error('no longer wanted')));
    this.#fail = (error) => settle(() => reject(error));
    this.#listen = (reply) => {
      if (reply.kind === 'read') {
        onRead?.(reply.bytes);
      }
      if (reply.kind === 'scan') {
        settle(() => resolve(reply.scan));
      }
      if (reply.kind === 'failed') {
        settle(() => reject(fromSentError(reply.error)));
      }
      if (reply.kind !== 'more') {
        return;
      }
      sent -= 1;
      wake();
    };
    signal.addEventListener('abort', stop);
    const room = async () => {
      while (sent >= chunksAhead && !isSettled) {
        await new Promise<void>((go) => {
          wake = go;
        });
      }
      sent += 1;
    };
    return { scan: promise, room, isSettled: () => isSettled };
  }
}
