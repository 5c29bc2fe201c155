import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';

/** A registry on loopback that gives out one image of an OCI layout, and counts what it is asked. */
export interface LayoutServer {
  /** `127.0.0.1:PORT/m:1`. */
  readonly image: string;
  readonly requests: number;
  close(): Promise<void>;
}

/** Whole blobs and the manifest, by tag and digest; nothing can be pushed. */
export async function serveLayout(layout: string): Promise<LayoutServer> {
  const index: { readonly manifests: readonly { readonly digest: string; readonly mediaType: string }[] } =
    JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const [manifest] = index.manifests;
  if (manifest === undefined) {
    throw new Error(`${layout} has no image`);
  }
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const [, kind = '', name = ''] = /^\/v2\/m\/(manifests|blobs)\/([\w:]+)$/.exec(request.url ?? '') ?? [];
    const isManifest = kind === 'manifests' && [manifest.digest, '1'].includes(name);
    const digest = isManifest ? manifest.digest : name;
    if (request.url === '/v2/') {
      response.end('{}');
      return;
    }
    if (!(isManifest || kind === 'blobs') || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
      response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
      return;
    }
    const path = join(layout, 'blobs', digest.replace(':', '/'));
    response.writeHead(200, {
      'content-type': isManifest ? manifest.mediaType : 'application/octet-stream',
      'content-length': statSync(path).size,
      'docker-content-digest': digest,
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), response, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    image: `127.0.0.1:${port}/m:1`,
    get requests() {
      return requests;
    },
    close: async () => await new Promise((resolve) => server.close(() => resolve())),
  };
}
