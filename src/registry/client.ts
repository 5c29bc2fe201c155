import { type Bytes, bytesOf } from '../base/bytes.ts';
import { quoted } from '../base/text.ts';
import { checked, digestOf } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { failure } from './answers.ts';
import { type Credentials, openAuthorizer } from './authorize.ts';
import type { Registry, Repository } from './contract.ts';
import { fetchManifest } from './manifest.ts';
import { pushManifest } from './push.ts';
import { attach, attachAll, referrers } from './referrers.ts';
import type { ReferrersMode } from './referrers-api.ts';
import { attempts, isBroken, pauseAfter, type RetryPolicy, toRetryPolicy, withRetry } from './retry.ts';
import { SentSecrets } from './secrets.ts';
import { openSession, type Session } from './session.ts';
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

/**
 * Bytes between two breaks of a connection that are progress: such a download is resumed as often as it
 * breaks.
 */
const worthIt = 1024 * 1024;

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
    blob: (repository, descriptor) => fetchBlob(session, retryPolicy, repository, descriptor),
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

function fetchBlob(
  session: Session,
  retryPolicy: RetryPolicy,
  repository: Repository,
  blob: Descriptor,
): Bytes {
  const what = `blob ${blob.digest} of ${quoted(`${repository.registry}/${repository.repository}`)}`;
  return checked(unbroken(session, retryPolicy, repository, blob, what), blob.digest, blob.size, what);
}

/**
 * The bytes of a blob; when the line breaks, asked for again from where it broke. Whether the parts fit is
 * for the digest to say.
 */
async function* unbroken(
  session: Session,
  { sleep, random }: RetryPolicy,
  repository: Repository,
  blob: Descriptor,
  what: string,
): Bytes {
  let seen = 0;
  for (let attempt = 1; ; attempt += 1) {
    const before = seen;
    try {
      for await (const chunk of fetchFrom(session, repository, blob, seen, what)) {
        seen += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (seen === blob.size) {
        return;
      }
      if (seen - before >= worthIt) {
        attempt = 1;
      }
      if (attempt === attempts || !isBroken(error)) {
        throw error;
      }
      await sleep(pauseAfter(attempt, random));
    }
  }
}

async function* fetchFrom(
  session: Session,
  repository: Repository,
  { digest }: Descriptor,
  start: number,
  what: string,
): Bytes {
  const answer = await session.call(repository, {
    method: 'GET',
    url: session.url(repository, `blobs/${digest}`),
    action: 'pull',
    ...(start === 0 ? {} : { headers: { range: `bytes=${start}-` } }),
    what,
  });
  if (answer.status !== 200 && !(answer.status === 206 && start > 0)) {
    throw await failure(answer, what, session.timeouts);
  }
  // A server that knows no ranges sends all of it again.
  let skip = answer.status === 206 ? 0 : start;
  for await (const chunk of answer.body) {
    const rest = chunk.subarray(skip);
    skip -= chunk.length - rest.length;
    if (rest.length > 0) {
      yield rest;
    }
  }
}
