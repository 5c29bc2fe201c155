import { askedWrongly, cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { type Digest, digestOf, hexOf } from '../oci/digest.ts';
import { type Descriptor, parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { failure, readDocument } from './answers.ts';
import type { Fetched, Repository } from './contract.ts';
import { addToTag } from './fallback-tag.ts';
import { fetchManifest } from './manifest.ts';
import { pushManifest } from './push.ts';
import type { RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';
import type { Answer } from './transport.ts';

export const referrerLimits = {
  /** An image signed daily for years has some hundreds; each one may cost a manifest and a blob to look at (A-90). */
  entries: 2000,
  pages: 100,
} as const;

export async function referrers(
  session: Session,
  repository: Repository,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  return (await fromApi(session, repository, subject)) ?? (await fromTag(session, repository, subject));
}

/** `undefined`: 404, the registry has no such API. Every other failure is one, and never an empty list (A-61). */
async function fromApi(
  session: Session,
  repository: Repository,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const what = `referrers of ${subject} in ${quoted(`${repository.registry}/${repository.repository}`)}`;
  const found: Descriptor[] = [];
  const visited = new Set<string>();
  let url: URL | undefined = session.url(repository, `referrers/${subject}`);
  while (url !== undefined) {
    if (visited.has(url.href))
      throw cannotTell('registry.protocol', `${what}: the registry's pages go round in a circle`);
    if (visited.size === referrerLimits.pages)
      throw cannotTell('registry.limit', `${what}: more than the limit of ${referrerLimits.pages} pages`);
    visited.add(url.href);
    const answer: Answer = await session.call(repository, {
      method: 'GET',
      url,
      action: 'pull',
      headers: { accept: mediaTypes.index },
      what,
    });
    if (answer.status === 404 && visited.size === 1) {
      answer.end();
      return undefined;
    }
    if (answer.status !== 200) throw await failure(answer, what, session.timeouts);
    found.push(...(await readPage(session, answer, what)));
    if (found.length > referrerLimits.entries) {
      throw cannotTell('registry.limit', `${what}: more than the limit of ${referrerLimits.entries}`);
    }
    url = nextPage(url, answer.headers['link'], what);
  }
  return found;
}

async function readPage(session: Session, answer: Answer, what: string): Promise<readonly Descriptor[]> {
  const bytes = await readDocument(answer, jsonLimits.manifest.maxBytes, what, session.timeouts);
  const contentType = answer.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const document = parseManifest(bytes, contentType, what);
  if (document.kind !== 'index' || document.mediaType !== mediaTypes.index)
    throw cannotTell('registry.protocol', `${what} are not an OCI index`);
  return document.manifests;
}

/** The next page (RFC 8288), on the same origin only: our Authorization goes along (A-90). */
function nextPage(from: URL, link: string | undefined, what: string): URL | undefined {
  const target = /<([^>]*)>[^,]*;\s*rel="?next"?/i.exec(link ?? '')?.[1];
  if (target === undefined) return undefined;
  const url = URL.canParse(target, from) ? new URL(target, from) : undefined;
  if (url === undefined || url.origin !== from.origin || url.username !== '' || url.password !== '')
    throw cannotTell(
      'registry.refused',
      `${what}: the next page is said to be at ${quoted(target)}, another host`,
    );
  return url;
}

/** `sha256-<64 hex>`: distribution specification, "Referrers Tag Schema"; longer hex is cut there. */
export function fallbackTag(subject: Digest): string {
  return `${subject.slice(0, subject.indexOf(':'))}-${hexOf(subject).slice(0, 64)}`;
}

async function fromTag(
  session: Session,
  repository: Repository,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const found = await fetchManifest(session, repository, fallbackTag(subject));
  if (found === undefined) return [];
  const { document } = found.fetched;
  if (document.kind !== 'index') {
    throw cannotTell(
      'registry.protocol',
      `${quoted(fallbackTag(subject))} in ${quoted(repository.repository)} is not an index of referrers`,
    );
  }
  return document.manifests;
}

export async function attach(
  session: Session,
  retryPolicy: RetryPolicy,
  repository: Repository,
  bytes: Uint8Array,
  subject: Descriptor,
): Promise<Descriptor> {
  const document = parseManifest(bytes, undefined, 'the manifest to attach');
  const descriptor = { mediaType: document.mediaType, digest: digestOf(bytes), size: bytes.length };
  await attachAll(session, retryPolicy, repository, [{ bytes, descriptor, document }], subject.digest);
  return descriptor;
}

/** Pushes what refers to `subject`; whatever the registry does not list by itself goes into the fallback tag, all at once. */
export async function attachAll(
  session: Session,
  retryPolicy: RetryPolicy,
  repository: Repository,
  manifests: readonly Fetched[],
  subject: Digest,
): Promise<void> {
  for (const { document } of manifests) {
    if (document.subject?.digest !== subject)
      throw askedWrongly(
        'manifest.subject',
        `the manifest to attach does not name ${subject} as its subject`,
      );
  }
  const unlisted: Descriptor[] = [];
  let api: boolean | undefined;
  for (const { bytes, descriptor, document } of manifests) {
    const { digest, mediaType } = descriptor;
    const pushed = await pushManifest(session, repository, digest, mediaType, bytes);
    // OCI-Subject alone is not enough: there are registries that send it and have no API (AWS ECR).
    if (pushed.subject === subject) api ??= await hasApi(session, repository, subject);
    if (pushed.subject !== subject || api !== true) unlisted.push(toEntry(pushed.descriptor, document));
  }
  if (unlisted.length > 0) await addToTag(session, retryPolicy, repository, fallbackTag(subject), unlisted);
}

/** Distribution specification, "Pushing Manifests with Subject": what the entry in the index of the fallback tag says. */
function toEntry({ mediaType, digest, size }: Descriptor, document: Fetched['document']): Descriptor {
  const artifactType =
    document.artifactType ?? (document.kind === 'manifest' ? document.config.mediaType : undefined);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(document.annotations).length === 0 ? {} : { annotations: document.annotations }),
  };
}

async function hasApi(session: Session, repository: Repository, subject: Digest): Promise<boolean> {
  const what = `referrers of ${subject}`;
  const url = session.url(repository, `referrers/${subject}`);
  const headers = { accept: mediaTypes.index };
  const answer = await session.call(repository, { method: 'GET', url, action: 'pull', headers, what });
  if (answer.status !== 200 && answer.status !== 404) throw await failure(answer, what, session.timeouts);
  answer.end();
  return answer.status === 200;
}
