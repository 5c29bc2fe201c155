import { cannotTell } from '../base/error.ts';
import { type JsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { failure, readDocument } from './answers.ts';
import type { Repository } from './contract.ts';
import { nextLink } from './link.ts';
import type { Session } from './session.ts';

/** A repository with a tag for each build of ten years, three a day, has some 10,000. */
const maxTags = 100_000;
const maxPages = 2000;
const limits: JsonLimits = { maxBytes: 16 * 1024 * 1024, maxDepth: 8 };

/**
 * All tags of a repository, in the order of the registry (distribution specification, "Listing Tags").
 *
 * @throws TcfError `registry.*` (exit 2); a repository that is not there is no empty list.
 */
export async function listTags(session: Session, repository: Repository): Promise<readonly string[]> {
  const what = `tags of ${quoted(`${repository.registry}/${repository.repository}`)}`;
  const tags = new Set<string>();
  const visited = new Set<string>();
  let url: URL | undefined = session.url(repository, 'tags/list');
  while (url !== undefined) {
    if (visited.has(url.href) || visited.size === maxPages) {
      throw cannotTell('registry.protocol', `${what}: the registry's pages do not end`);
    }
    visited.add(url.href);
    const answer = await session.call(repository, { method: 'GET', url, action: 'pull', what });
    if (answer.status !== 200) {
      throw await failure(answer, what, session.timeouts);
    }
    const bytes = await readDocument(answer, limits.maxBytes, what, session.timeouts);
    const list = new Shape(parseJson(bytes, what, limits), what).get('tags');
    for (const tag of list.value === null ? [] : list.list(maxTags)) {
      tags.add(tag.string(200));
    }
    if (tags.size > maxTags) {
      throw cannotTell('registry.limit', `${what}: more than the limit of ${maxTags}`);
    }
    const next = nextLink(answer.headers['link'] ?? '');
    url = next === undefined ? undefined : samePlace(new URL(next, url), url, what);
  }
  return [...tags];
}

/** A page elsewhere would be asked with the login of this registry. */
function samePlace(next: URL, url: URL, what: string): URL {
  if (next.origin !== url.origin) {
    throw cannotTell('registry.protocol', `${what}: the next page is at ${quoted(next.origin)}`);
  }
  return next;
}
