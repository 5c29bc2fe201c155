import type { DsseContent, MessageContent } from '../attest/bundle.ts';
import type { LogEntry } from '../attest/log-entry.ts';
import type { Signed } from './signer.ts';

/** A signed envelope, or a signature over an artifact, as its witnesses see it. */
export interface Act {
  readonly content: DsseContent | MessageContent;
  readonly signed: Signed;
  /** The bytes that were signed: DSSE's pre-authentication encoding of the envelope, or the artifact. */
  readonly bytes: Uint8Array;
}

export type Testimony =
  | { readonly kind: 'entry'; readonly entry: LogEntry }
  /** RFC 3161 `TimeStampResp` in DER. */
  | { readonly kind: 'timestamp'; readonly der: Uint8Array };

/** A transparency log or a timestamp authority. @throws TcfError `sigstore.*` (exit 2). */
export type Witness = (act: Act) => Promise<Testimony>;
