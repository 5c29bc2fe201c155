import type { Bytes } from '../base/bytes.ts';
import { quoted } from '../base/text.ts';
import { checked } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { failure } from './answers.ts';
import { type Credentials, openAuthorizer } from './authorize.ts';
import type { Registry, Repository } from './contract.ts';
import { fetchManifest } from './manifest.ts';
import { pushBlob, pushManifest } from './push.ts';
import { attach, referrers } from './referrers.ts';
import { type Patience, patient } from './retry.ts';
import { openSession, type Session } from './session.ts';
import { defaultTimeouts, openTransport, type TransportOptions } from './transport.ts';

export interface RegistryOptions extends TransportOptions, Partial<Patience> {
  /** Asked when a registry wants to know who we are; without it everything is anonymous. */
  readonly credentials?: Credentials;
  /** Speak plain HTTP to loopback. It is spoken to no other host, whatever is said here. */
  readonly allowHttp?: boolean;
}

/** A client of any registry; connects when it is first asked for something, and needs no closing. */
export function openRegistry(options: RegistryOptions): Registry {
  const timeouts = options.timeouts ?? defaultTimeouts;
  const patience: Patience = {
    sleep: options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
    random: options.random ?? Math.random,
  };
  const transport = patient(openTransport(options), patience);
  const authorizer = openAuthorizer(transport, options.credentials ?? (async () => undefined), timeouts);
  const session = openSession(transport, authorizer, options.allowHttp ?? false, timeouts);
  return {
    manifest: async (repository, reference) => (await fetchManifest(session, repository, reference))?.fetched,
    blob: (repository, descriptor) => fetchBlob(session, repository, descriptor),
    pushBlob: (repository, mediaType, bytes) => pushBlob(session, repository, mediaType, bytes),
    pushManifest: async (repository, reference, mediaType, bytes) =>
      (await pushManifest(session, repository, reference, mediaType, bytes)).descriptor,
    referrers: (repository, subject) => referrers(session, repository, subject),
    attach: (repository, manifest, subject) => attach(session, patience, repository, manifest, subject),
  };
}

async function* fetchBlob(session: Session, repository: Repository, descriptor: Descriptor): Bytes {
  const what = `blob ${descriptor.digest} of ${quoted(`${repository.registry}/${repository.repository}`)}`;
  const answer = await session.call(repository, {
    method: 'GET',
    url: session.url(repository, `blobs/${descriptor.digest}`),
    action: 'pull',
    what,
  });
  if (answer.status !== 200) throw await failure(answer, what, session.timeouts);
  yield* checked(answer.body, descriptor.digest, descriptor.size, what);
}
