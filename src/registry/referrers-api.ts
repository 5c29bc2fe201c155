import { cannotTell, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type ManifestLimits, manifestLimits, parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { failure, readDocument } from './answers.ts';
import type { Repository } from './contract.ts';
import { nextLink } from './link.ts';
import { contentTypeOf } from './manifest.ts';
import type { Session } from './session.ts';
import type { HttpAnswer } from './transport.ts';

/**
 * Where the list of referrers is. `auto`: the API, or the tag where the registry answers that it has no such
 * API. `api`, `tag`: only there, because the user knows the registry better than its answers tell.
 */
export type ReferrersMode = 'auto' | 'api' | 'tag';

/**
 * An image that is signed daily for years has some hundreds; each entry may cost a manifest and a blob to
 * look at (A-90).
 */
export const referrerLimits: { readonly entries: number; readonly pages: number } = {
  entries: 2000,
  pages: 100,
};

/** A page may hold all entries at once. */
export const referrerListLimits: ManifestLimits = { ...manifestLimits, manifests: referrerLimits.entries };

/**
 * Answers that mean "no such API" (docs/registries.md): 404 by the specification; 400 and 406 because
 * registries give them and other clients understand them so; 405 and 501 by their definition in RFC 9110. Any
 * other error is an error and never an empty list (A-61).
 */
const withoutApi: ReadonlySet<number> = new Set([400, 404, 405, 406, 501]);

const useTag =
  'where this registry has no referrers API, add --referrers tag: only the fallback tag is then asked';

/**
 * All pages of the API. `undefined`: the registry has no such API.
 * @throws TcfError `registry.*` (exit 2).
 */
export async function listByApi(
  session: Session,
  repository: Repository,
  subject: Digest,
): Promise<readonly Descriptor[] | undefined> {
  const what = `referrers of ${subject} in ${quoted(`${repository.registry}/${repository.repository}`)}`;
  const found: Descriptor[] = [];
  const visited = new Set<string>();
  let url: URL | undefined = session.url(repository, `referrers/${subject}`);
  while (url !== undefined) {
    if (visited.has(url.href)) {
      throw cannotTell('registry.protocol', `${what}: the registry's pages go round in a circle`);
    }
    if (visited.size === referrerLimits.pages) {
      throw cannotTell('registry.limit', `${what}: more than the limit of ${referrerLimits.pages} pages`);
    }
    visited.add(url.href);
    const answer = await ask(session, repository, url, what);
    const page = await readPage(session, answer, what);
    if (page === undefined && visited.size === 1) {
      return undefined;
    }
    if (page === undefined) {
      throw cannotTell('registry.missing', `${what}: a page is missing`);
    }
    found.push(...page);
    if (found.length > referrerLimits.entries) {
      throw cannotTell('registry.limit', `${what}: more than the limit of ${referrerLimits.entries}`);
    }
    url = nextPage(url, answer.headers['link'], what);
  }
  return found;
}

/**
 * Whether a page of the API comes back for `subject`. A status of 200 alone proves nothing: web applications
 * send their own page.
 */
export async function hasApi(session: Session, repository: Repository, subject: Digest): Promise<boolean> {
  const what = `referrers of ${subject}`;
  const answer = await ask(session, repository, session.url(repository, `referrers/${subject}`), what);
  return (await readPage(session, answer, what)) !== undefined;
}

async function ask(session: Session, repository: Repository, url: URL, what: string): Promise<HttpAnswer> {
  const headers = { accept: mediaTypes.index };
  try {
    return await session.call(repository, { method: 'GET', url, action: 'pull', headers, what });
  } catch (error) {
    if (error instanceof TcfError && error.code === 'registry.unauthorized') {
      throw withWayOut(error);
    }
    throw error;
  }
}

/** `undefined`: the answer of a registry without the API. */
async function readPage(
  session: Session,
  answer: HttpAnswer,
  what: string,
): Promise<readonly Descriptor[] | undefined> {
  if (withoutApi.has(answer.status)) {
    answer.end();
    return undefined;
  }
  if (answer.status !== 200) {
    const error = await failure(answer, what, session.timeouts);
    throw answer.status === 429 ? error : withWayOut(error);
  }
  const contentType = contentTypeOf(answer);
  const isAnnounced = contentType === mediaTypes.index;
  if (contentType !== undefined && !/^application\/(?:.+\+)?json$/.test(contentType)) {
    answer.end();
    return undefined;
  }
  const bytes = await readDocument(answer, referrerListLimits.maxBytes, what, session.timeouts);
  if (session.secrets.isInDocument(bytes)) {
    throw cannotTell('registry.refused', `${what} repeat a credential`);
  }
  if (isAnnounced) {
    return readIndex(bytes, what);
  }
  try {
    return readIndex(bytes, what);
  } catch (error) {
    // JSON of another kind, announced as such: oras and go-containerregistry read it as "no such API" too.
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}

function readIndex(bytes: Uint8Array, what: string): readonly Descriptor[] {
  const document = parseManifest(bytes, undefined, what, referrerListLimits);
  if (document.kind !== 'index' || document.mediaType !== mediaTypes.index) {
    throw cannotTell('registry.protocol', `${what} are not an OCI index`);
  }
  return document.manifests;
}

/**
 * An error that may be the answer of a registry without the API: old Harbor says 401 (goharbor/harbor#18305).
 */
function withWayOut(error: TcfError): TcfError {
  const hint = error.hint === undefined ? useTag : `${error.hint}; ${useTag}`;
  return cannotTell(error.code, error.message, { hint, cause: error });
}

/** The next page (RFC 8288), on the same origin only: our Authorization goes along (A-90). */
function nextPage(from: URL, link: string | undefined, what: string): URL | undefined {
  const target = nextLink(link ?? '');
  if (target === undefined) {
    return undefined;
  }
  const url = URL.canParse(target, from) ? new URL(target, from) : undefined;
  if (url === undefined || url.origin !== from.origin || url.username !== '' || url.password !== '') {
    throw cannotTell(
      'registry.refused',
      `${what}: the next page is said to be at ${quoted(target)}, another host`,
    );
  }
  return url;
}
