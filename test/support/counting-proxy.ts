import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before an HTTP server on loopback, and counts. */
export interface CountingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Since the last call of `reset`. */
  readonly counts: { requests: number; bytes: number };
  /** `METHOD /path` of each. */
  readonly lines: readonly string[];
  reset(): void;
}

/**
 * @param target `127.0.0.1:PORT`.
 * @param delay Milliseconds that a request, and again its answer, is on its way.
 */
export async function startCountingProxy(target: string, delay = 0): Promise<CountingProxy> {
  const [host = '', port = ''] = target.split(':');
  const counts = { requests: 0, bytes: 0 };
  const lines: string[] = [];
  const server = createServer((from, to) => {
    counts.requests += 1;
    lines.push(`${from.method} ${from.url}`);
    setTimeout(() => {
      const { headers, method, url } = from;
      const ask = request({ host, port, path: url, method, headers }, (answer) => {
        setTimeout(() => {
          answer.on('data', (chunk: Uint8Array) => {
            counts.bytes += chunk.length;
          });
          to.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(to);
        }, delay);
      });
      ask.on('error', () => to.destroy());
      from.pipe(ask);
    }, delay);
  });
  await new Promise<void>((up) => server.listen(0, '127.0.0.1', up));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    counts,
    lines,
    reset() {
      Object.assign(counts, { requests: 0, bytes: 0 });
      lines.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
