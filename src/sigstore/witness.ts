import type { Envelope } from '../attest/dsse.ts';
import type { LogEntry } from '../attest/log-entry.ts';
import type { Signed } from './signer.ts';

/** A signed envelope as its witnesses see it. */
export interface Act {
  readonly envelope: Envelope;
  readonly signed: Signed;
  /** DSSE's pre-authentication encoding: the bytes that were signed. */
  readonly preAuth: Uint8Array;
}

export type Testimony =
  | { readonly kind: 'entry'; readonly entry: LogEntry }
  /** RFC 3161 `TimeStampResp` in DER. */
  | { readonly kind: 'timestamp'; readonly der: Uint8Array };

/** A transparency log or a timestamp authority. @throws TcfError `sigstore.*` (exit 2). */
export type Witness = (act: Act) => Promise<Testimony>;
