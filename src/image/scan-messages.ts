import { compact } from '../base/compact.ts';
import { type ErrorExit, TcfError } from '../base/error.ts';
import type { FileRange } from './contract.ts';
import type { PackedLayer } from './layer-stream.ts';
import type { LayerScan } from './scan-layer.ts';
import type { SplitLayer } from './tar-split.ts';

/** What the thread that puts layers together says to one that reads them. Each reads one layer at a time. */
export type ScanRequest =
  | {
      readonly kind: 'layer';
      readonly layer: PackedLayer;
      /** For messages about entries. */
      readonly name: string;
      /** Without file and split the stored bytes follow in chunks. */
      readonly file?: FileRange;
      readonly split?: SplitLayer;
      /** One number, shared by all threads: cores for which there is no layer. With one, it is unpacked ahead. */
      readonly spare: Int32Array<SharedArrayBuffer>;
    }
  | { readonly kind: 'chunk'; readonly chunk: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'end' };

export type ScanReply =
  /** The thread runs and takes requests. */
  | { readonly kind: 'ready' }
  /** A chunk was read: another one may come. */
  | { readonly kind: 'more' }
  /** So many more bytes of what the thread reads by itself were read. */
  | { readonly kind: 'read'; readonly bytes: number }
  | { readonly kind: 'scan'; readonly scan: LayerScan }
  | { readonly kind: 'failed'; readonly error: SentError };

/** An error does not keep its class between threads. */
export interface SentError {
  readonly message: string;
  readonly stack?: string;
  readonly known?: { readonly code: string; readonly exit: ErrorExit; readonly hint?: string };
}

export function toSentError(error: unknown): SentError {
  if (!(error instanceof Error)) {
    return { message: String(error) };
  }
  const { message, stack } = error;
  const known = error instanceof TcfError ? error : undefined;
  return compact({
    message,
    stack,
    ...(known === undefined
      ? {}
      : {
          known: compact({
            code: known.code,
            exit: known.exit,
            hint: known.hint,
          }),
        }),
  });
}

export function fromSentError({ known, message, stack }: SentError): Error {
  if (known !== undefined) {
    const { code, exit, hint } = known;
    return new TcfError(exit, code, message, hint === undefined ? {} : { hint });
  }
  const error = new Error(message);
  if (stack !== undefined) {
    error.stack = stack;
  }
  return error;
}
