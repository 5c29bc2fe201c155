import { collect, encodeUtf8 } from '../../src/base/bytes.ts';
import { TcfError } from '../../src/base/error.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { openRegistry, type RegistryOptions } from '../../src/registry/client.ts';
import type { Registry, Repository } from '../../src/registry/contract.ts';
import type { Fault, TestRegistry } from '../support/registry.ts';

/**
 * A client that waits for nothing between its tries, and for answers longer than any test runs: machines may
 * be busy.
 */
export function client(options: Partial<RegistryOptions> = {}): Registry {
  return openRegistry({
    userAgent: 'tcf-test',
    allowHttp: true,
    timeouts: { idle: 20_000, document: 20_000 },
    sleep: async () => undefined,
    random: () => 0.5,
    ...options,
  });
}

/**
 * For a server that will be silent: a client with short timeouts, and the usual client for every other fault.
 */
export function clientFor(fault: Fault): Registry {
  return client(fault.hang || fault.drip ? { timeouts: { idle: 300, document: 1000 } } : {});
}

export function repositoryOn({ host }: TestRegistry, repository = 'team/app'): Repository {
  return { registry: host, repository };
}

const empty = encodeUtf8('{}');
const emptyDescriptor = { mediaType: mediaTypes.empty, digest: digestOf(empty), size: empty.length };

/** A manifest without layers that nothing else equals. */
export function manifestNamed(name: string, more: object = {}): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: emptyDescriptor,
      layers: [emptyDescriptor],
      annotations: { name },
      ...more,
    }),
  );
}

export function descriptorOf(bytes: Uint8Array): Descriptor {
  return { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length };
}

/** Puts a manifest into the registry without asking its API. */
export function store(
  registry: TestRegistry,
  bytes: Uint8Array,
  tag = 'latest',
  mediaType: string = mediaTypes.manifest,
): Digest {
  const digest = digestOf(bytes);
  registry.manifests.set(`team/app:${tag}`, { mediaType, bytes });
  registry.manifests.set(`team/app@${digest}`, { mediaType, bytes });
  return digest;
}

export async function readBlob(
  registry: Registry,
  repository: Repository,
  descriptor: Descriptor,
): Promise<Uint8Array> {
  return collect(registry.blob(repository, descriptor), 10_000_000, 'the blob');
}

/** What was thrown, as `code: message`; or what came instead. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    return `nothing was thrown: ${JSON.stringify(await promise)}`;
  } catch (error) {
    if (!(error instanceof TcfError)) {
      throw error;
    }
    return `${error.code}: ${error.message}`;
  }
}
