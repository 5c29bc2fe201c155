import { createServer } from 'node:http';
import { encodeUtf8 } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { digestOf } from '../oci/digest.ts';

export interface ProbeRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT/tcf-probe/NAME:1`. */
  readonly image: string;
  readonly digest: string;
}

/**
 * A registry on loopback with one image that nobody signed, and that has no program: what a runtime is asked
 * to pull to see whether it asks its verifier. Read-only, and nothing else is in it.
 */
export async function serveProbe(name: string): Promise<ProbeRegistry> {
  const layer = new Uint8Array(1024);
  const config = encodeUtf8(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const types = {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar',
  };
  const manifest = encodeUtf8(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: types.layer, digest: digestOf(layer), size: layer.length }],
    }),
  );
  const digest = digestOf(manifest);
  const root = `/v2/tcf-probe/${name}`;
  const content = new Map<string, readonly [type: string, bytes: Uint8Array]>([
    ['/v2/', ['application/json', encodeUtf8('{}')]],
    [`${root}/manifests/1`, [types.manifest, manifest]],
    [`${root}/manifests/${digest}`, [types.manifest, manifest]],
    [`${root}/blobs/${digestOf(config)}`, [types.config, config]],
    [`${root}/blobs/${digestOf(layer)}`, [types.layer, layer]],
  ]);
  const server = createServer((incoming, outgoing) => {
    const [type, bytes] = content.get(incoming.url ?? '') ?? [];
    if (type === undefined || bytes === undefined) {
      outgoing.writeHead(404).end();
      return;
    }
    outgoing.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      'docker-content-digest': digestOf(bytes),
    });
    outgoing.end(incoming.method === 'HEAD' ? undefined : bytes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(cannotTell('hook.probe', `cannot serve a probe: ${error.message}`)),
    );
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    image: `127.0.0.1:${port}/tcf-probe/${name}:1`,
    digest,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
