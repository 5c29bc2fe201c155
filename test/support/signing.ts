import { formatStatement, toSignatureStatement } from '../../src/attest/statement.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry } from '../../src/registry/client.ts';
import type { Registry, Repository } from '../../src/registry/contract.ts';
import { openServices, type Services } from '../../src/sigstore/services.ts';
import { startRegistry, type TestRegistry, type TestRegistryOptions } from './registry.ts';

/** A registry in memory with one small image in it. */
export interface Shelf extends AsyncDisposable {
  readonly server: TestRegistry;
  readonly registry: Registry;
  readonly repository: Repository;
  readonly image: Descriptor;
  /** What `cosign sign` signs. */
  readonly statement: Uint8Array;
}

export async function openShelf(options: TestRegistryOptions = {}): Promise<Shelf> {
  const server = await startRegistry(options);
  const registry = openRegistry({ userAgent: 'tcf-test', allowHttp: true, sleep: async () => undefined });
  const repository = { registry: server.host, repository: 'triton/dev' };
  const json = (value: object) => Buffer.from(JSON.stringify(value));
  const content = json({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } });
  const config = await registry.pushBlob(repository, mediaTypes.config, content);
  const manifest = json({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [] });
  const image = await registry.pushManifest(repository, 'latest', mediaTypes.manifest, manifest);
  return {
    server,
    registry,
    repository,
    image,
    statement: formatStatement(toSignatureStatement(image.digest)),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Services that do not wait between attempts. */
export function testServices(): Services {
  const timeouts = { idle: 2000, document: 2000 };
  return openServices({ userAgent: 'tcf-test', sleep: async () => undefined, random: () => 0, timeouts });
}
