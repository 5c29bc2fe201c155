import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { isIP } from 'node:net';
import type { Bytes } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { cannotTell, reasonOf, TcfError } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { codeOf } from '../system/errors.ts';
import { hostOf, isLoopback } from './hosts.ts';
import { checkAddress, guardedLookup } from './network.ts';
import type { SecureHttp } from './secure-http.ts';
import {
  defaultTimeouts,
  type Timeouts,
  type Transport,
  type TransportOptions,
  within,
} from './transport.ts';

/** The transport over Node's own clients. */
export function openHttp(options: TransportOptions): Transport {
  const timeouts = options.timeouts ?? defaultTimeouts;
  const { idle } = timeouts;
  const { signal } = options;
  const failed: Failed = (url, error) => (signal?.aborted ? outOfTime(url) : unreachable(url, error));
  // TLS is the larger half of what an exchange loads, and a registry on this machine may speak without it.
  let tls: Promise<SecureHttp> | undefined;
  const openTls = async () => (await import('./secure-http.ts')).openSecureHttp(options);
  const near = new HttpAgent({ keepAlive: true });
  const plain = { agentFor: () => near, request: httpRequest };

  return async (exchange) => {
    const { url, method, body } = exchange;
    const host = hostOf(url);
    if (isIP(host) !== 0) {
      checkAddress(host, host, exchange.reach);
    }
    const isSecure = url.protocol === 'https:';
    if (!isSecure && (url.protocol !== 'http:' || !isLoopback(host))) {
      throw cannotTell(
        'registry.refused',
        `will not speak ${quoted(url.protocol)} to ${quoted(url.host)}; only https: is safe there`,
      );
    }
    tls ??= isSecure ? openTls() : undefined;
    const { agentFor, request } = (isSecure ? await tls : undefined) ?? plain;
    return await new Promise((resolve, reject) => {
      const call = request(
        url,
        compact({
          method,
          agent: agentFor(host),
          lookup: guardedLookup(host, exchange.reach),
          headers: {
            'user-agent': options.userAgent,
            'accept-encoding': 'identity',
            ...(body === undefined ? {} : { 'content-length': String(body.length) }),
            ...exchange.headers,
          },
          signal,
        }),
      );
      const timer = setTimeout(() => call.destroy(silence(url, idle)), idle);
      call.on('error', (error) => {
        clearTimeout(timer);
        reject(failed(url, error));
      });
      call.on('response', (response) => {
        clearTimeout(timer);
        resolve({
          url,
          status: response.statusCode ?? 0,
          headers: flat(response),
          body: read(response, url, timeouts, failed),
          end: () => response.destroy(),
        });
      });
      upload(call, body ?? new Uint8Array(), 0, () => timer.refresh());
    });
  };
}

const uploadPiece = 64 * 1024;

/** Writes a body in pieces, so that a long upload on a slow line is not taken for silence. */
function upload(call: ClientRequest, body: Uint8Array, from: number, progress: () => void): void {
  if (from >= body.length) {
    call.end();
    return;
  }
  call.write(body.subarray(from, from + uploadPiece), (error) => {
    // The request itself reports the error.
    if (error) {
      return;
    }
    progress();
    upload(call, body, from + uploadPiece, progress);
  });
}

function flat(response: IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(response.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
  );
}

/** Bytes in a millisecond. A server that sends less can make a blob of any size last for days. */
const slowest = 4;

/** Says why there is no answer. */
type Failed = (url: URL, error: unknown) => TcfError;

async function* read(
  response: IncomingMessage,
  url: URL,
  { document, idle }: Timeouts,
  failed: Failed,
): Bytes {
  const chunks = response[Symbol.asyncIterator]();
  // Only the wait for the server counts, not the time that the reader takes.
  let left = document;
  try {
    for (;;) {
      const began = performance.now();
      const next = await within(Math.min(idle, left), nextOf(chunks, url, failed), () =>
        left < idle ? tooSlow(url) : silence(url, idle),
      );
      if (next.done) {
        return;
      }
      const earned = next.value.length / slowest;
      left = Math.min(document, left + earned - (performance.now() - began));
      // Not the Buffer itself, whose slice() shares memory where a Uint8Array's copies.
      yield new Uint8Array(next.value.buffer, next.value.byteOffset, next.value.length);
    }
  } finally {
    response.destroy();
  }
}

async function nextOf(
  chunks: AsyncIterator<Uint8Array>,
  url: URL,
  failed: Failed,
): Promise<IteratorResult<Uint8Array, unknown>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw failed(url, error);
  }
}

function silence(url: URL, ms: number): TcfError {
  return cannotTell('registry.unreachable', `${quoted(url.host)} did not answer within ${ms / 1000} s`, {
    hint: 'check the network, and HTTPS_PROXY and NO_PROXY where a proxy is used',
  });
}

function outOfTime(url: URL): TcfError {
  return cannotTell(
    'registry.unreachable',
    `${quoted(url.host)} did not answer before the caller's deadline`,
    {
      hint: 'check the network, and try again',
    },
  );
}

function tooSlow(url: URL): TcfError {
  return cannotTell('registry.unreachable', `${quoted(url.host)} sends less than ${slowest} KB a second`, {
    hint: 'check the network, and try again',
  });
}

function unreachable(url: URL, error: unknown): TcfError {
  if (error instanceof TcfError) {
    return error;
  }
  // A TLS client that meets plain HTTP.
  const plain = codeOf(error) === 'EPROTO' && isLoopback(hostOf(url));
  return cannotTell(
    'registry.unreachable',
    `could not talk to ${quoted(url.host)}: ${printable(reasonOf(error) || codeOf(error))}`,
    {
      cause: error,
      hint: plain
        ? 'a registry on this machine without TLS needs --allow-http'
        : 'check the name and the network',
    },
  );
}
