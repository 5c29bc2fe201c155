import { bytesOf } from '../base/bytes.ts';
import { digestOf } from '../oci/digest.ts';
import { type Credentials, openAuthorizer } from './authorize.ts';
import type { Registry } from './contract.ts';
import { fetchBlob, fetchRange } from './download.ts';
import { fetchManifest } from './manifest.ts';
import { pushManifest } from './push.ts';
import { attach, attachAll, referrers } from './referrers.ts';
import type { ReferrersMode } from './referrers-api.ts';
import { type RetryPolicy, toRetryPolicy, withRetry } from './retry.ts';
import { SentSecrets } from './secrets.ts';
import { openSession } from './session.ts';
import { listTags } from './tags.ts';
import { defaultTimeouts, openTransport, type TransportOptions } from './transport.ts';
import { defaultChunkSize, uploadBlob } from './upload.ts';
import { withoutSecrets } from './without-secrets.ts';

export interface RegistryOptions extends TransportOptions, Partial<RetryPolicy> {
  /** Asked when a registry wants to know who we are; without it everything is anonymous. */
  readonly credentials?: Credentials;
  /** Bytes of a blob on its way to hold in memory; 16 MiB where nothing is said. */
  readonly chunkSize?: number;
  /** Where the list of referrers is; `auto` where nothing is said. */
  readonly referrers?: ReferrersMode;
  /**
   * Speak plain HTTP to loopback, or to some registries there. It is spoken to no other host, whatever is
   * said here.
   */
  readonly allowHttp?: boolean | ((registry: string) => boolean);
}

/** A client of any registry; connects when it is first asked for something, and needs no closing. */
export function openRegistry(options: RegistryOptions): Registry {
  const timeouts = options.timeouts ?? defaultTimeouts;
  const retryPolicy = toRetryPolicy(options);
  const transport = withRetry(openTransport(options), retryPolicy);
  const secrets = new SentSecrets();
  const { allowHttp: allowed = false } = options;
  const allowHttp = typeof allowed === 'boolean' ? () => allowed : allowed;
  const credentials = options.credentials ?? (async () => undefined);
  const authorizer = openAuthorizer(transport, credentials, timeouts, secrets);
  const session = openSession(transport, authorizer, allowHttp, timeouts, secrets);
  const context = { session, retryPolicy, mode: options.referrers ?? 'auto' };
  const upload = { session, retryPolicy, chunkSize: options.chunkSize ?? defaultChunkSize };
  const registry: Registry = {
    manifest: async (repository, reference) => (await fetchManifest(session, repository, reference))?.fetched,
    blob: (repository, blob) => fetchBlob(session, retryPolicy, repository, blob),
    range: (repository, descriptor, start, length) =>
      fetchRange(session, retryPolicy, { repository, blob: descriptor, start, end: start + length }),
    pushBlob: async (repository, mediaType, bytes) => {
      const blob = { mediaType, digest: digestOf(bytes), size: bytes.length };
      await uploadBlob(upload, repository, blob, () => bytesOf(bytes));
      return blob;
    },
    copyBlob: (repository, blob, open, from) => uploadBlob(upload, repository, blob, open, from),
    pushManifest: async (repository, reference, mediaType, bytes) =>
      (await pushManifest(session, repository, reference, mediaType, bytes)).descriptor,
    referrers: (repository, subject) => referrers(context, repository, subject),
    tags: (repository) => listTags(session, repository),
    attach: (repository, manifest, subject) => attach(context, repository, manifest, subject),
    attachAll: (repository, manifests, subject) => attachAll(context, repository, manifests, subject),
  };
  return withoutSecrets(registry, secrets);
}
