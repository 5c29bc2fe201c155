import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A store of objects in memory, on a loopback port. It proves no signatures: `test/interop` does, with a real
 * one.
 */
export interface TestBucket extends AsyncDisposable {
  readonly url: string;
  /** By `/bucket/key`. */
  readonly objects: Map<string, Uint8Array>;
  /** `METHOD /path`, and the headers. */
  readonly requests: { readonly line: string; readonly headers: NodeJS.Dict<string | string[]> }[];
  /** Answers everything with this. */
  fault:
    | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
    | undefined;
}

export async function startBucket(): Promise<TestBucket> {
  const objects: TestBucket['objects'] = new Map();
  const requests: TestBucket['requests'] = [];
  const server = createServer(async (request, response) => {
    const { headers, method = '', url = '' } = request;
    requests.push({ line: `${method} ${url}`, headers });
    const body: Uint8Array[] = [];
    for await (const chunk of request) {
      body.push(chunk as Uint8Array);
    }
    const { fault } = bucket;
    if (fault !== undefined) {
      response.writeHead(fault.status, fault.headers).end(method === 'HEAD' ? undefined : fault.body);
      return;
    }
    if (method === 'PUT') {
      objects.set(url, Buffer.concat(body));
      response.writeHead(200).end();
      return;
    }
    const found = objects.get(url);
    const missing = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>';
    response
      .writeHead(found === undefined ? 404 : 200)
      .end(method === 'HEAD' ? undefined : (found ?? missing));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const bucket: TestBucket = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests,
    fault: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return bucket;
}
