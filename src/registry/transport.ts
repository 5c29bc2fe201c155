import type { Bytes } from '../base/bytes.ts';
import type { Reach } from './network.ts';

export interface Timeouts {
  /**
   * Milliseconds without progress: connecting, sending, until the answer begins, and between two pieces of
   * its body.
   */
  readonly idle: number;
  /**
   * Milliseconds for one whole document (manifest, token, error), and those that a larger body may be waited
   * for beyond what the slowest of lines takes: ends one that drips one byte a second.
   */
  readonly document: number;
}

/** A registry that says nothing for half a minute is down; no document of 4 MiB takes two minutes. */
export const defaultTimeouts: Timeouts = { idle: 30_000, document: 120_000 };

export interface TransportOptions {
  readonly userAgent: string;
  /** PEM certificates, trusted in addition to those of Node. */
  readonly ca?: readonly string[];
  /** HTTPS_PROXY, HTTP_PROXY and NO_PROXY in either case. Never used for loopback. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
  readonly timeouts?: Timeouts;
  /**
   * Ends whatever is under way, and what would be asked after it: somebody waits for our answer, and not for
   * ever.
   */
  readonly signal?: AbortSignal;
}

export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Not to be sent again without looking first. */
  readonly once?: boolean;
  readonly reach: Reach;
}

export interface HttpAnswer {
  readonly url: URL;
  readonly status: number;
  /** Names in lower case; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The body as it was sent: Content-Encoding is neither asked for nor undone, so no small answer grows
   * . To be read or ended once.
   */
  readonly body: Bytes;
  /** Ends the exchange without reading on. */
  end(): void;
}

/**
 * One request, one answer; no redirects, no retries, no credentials.
 * @throws TcfError `registry.unreachable`.
 */
export type Transport = (exchange: Exchange) => Promise<HttpAnswer>;

/**
 * Node's HTTP and TLS are loaded with the first request. A decision from the cache makes none, and a
 * container waits for it.
 */
export function openTransport(options: TransportOptions): Transport {
  let http: Promise<Transport> | undefined;
  return async (exchange) => {
    http ??= import('./http.ts').then(({ openHttp }) => openHttp(options));
    return await (await http)(exchange);
  };
}

/** Rejects with `late()` if the promise has not settled after `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
