import { type Credentials, openAuthorizer } from './authorize.ts';
import type { Registry } from './contract.ts';
import { fetchBlob, fetchRange } from './download.ts';
import { fetchManifest } from './manifest.ts';
import { referrers } from './referrers.ts';
import type { ReferrersMode } from './referrers-api.ts';
import { type RetryPolicy, toRetryPolicy, withRetry } from './retry.ts';
import { SentSecrets } from './secrets.ts';
import { openSession } from './session.ts';
import { listTags } from './tags.ts';
import { defaultTimeouts, openTransport, type TransportOptions } from './transport.ts';
import { withoutSecrets } from './without-secrets.ts';
import type { RegistryWriter } from './writer.ts';

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
  // A decision asks and writes nothing, and a container waits for it.
  const writer = async (): Promise<RegistryWriter> => {
    const { openWriter } = await import('./writer.ts');
    return openWriter(context, options.chunkSize);
  };
  const registry: Registry = {
    manifest: async (repository, reference) => (await fetchManifest(session, repository, reference))?.fetched,
    blob: (repository, blob) => fetchBlob(session, retryPolicy, repository, blob),
    range: (repository, descriptor, start, length) =>
      fetchRange(session, retryPolicy, { repository, blob: descriptor, start, end: start + length }),
    pushBlob: async (...asked) => (await writer()).pushBlob(...asked),
    copyBlob: async (...asked) => (await writer()).copyBlob(...asked),
    pushManifest: async (...asked) => (await writer()).pushManifest(...asked),
    referrers: (repository, subject) => referrers(context, repository, subject),
    tags: (repository) => listTags(session, repository),
    attach: async (...asked) => (await writer()).attach(...asked),
    attachAll: async (...asked) => (await writer()).attachAll(...asked),
  };
  return withoutSecrets(registry, secrets);
}
