import { encodeUtf8 } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { type Descriptor, manifestLimits } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Repository } from './contract.ts';
import { fetchManifest } from './manifest.ts';
import { pushManifest } from './push.ts';
import type { Patience } from './retry.ts';
import type { Session } from './session.ts';

/** Each try is a read, mostly with a write; ten writers at once were seen to need under ten. */
const maxTries = 60;
/** How often the tag must be read and found whole before we go. */
const quietReads = 3;
/** Milliseconds: longer than another writer takes between its read and its write on a slow line. */
const shortestWait = 60;
const longestWait = 240;

/** The index at the tag as JSON, so that members we do not know survive. */
interface TagIndex {
  readonly members: Readonly<Record<string, unknown>>;
  readonly entries: ReadonlyMap<string, unknown>;
  readonly etag: string | undefined;
}

/**
 * Adds descriptors to the index at a fallback tag. The protocol has no lock, so two writers can undo each other's work: where the
 * registry sends ETags the write says which version it replaces, and in any case the tag is read again after a random wait, and whatever
 * was ever seen there and is gone is put back. Every writer does so, therefore nothing stays lost while one of them is still looking.
 *
 * @throws TcfError `registry.protocol` when the tag holds something else or never comes to rest.
 */
export async function addToTag(
  session: Session,
  { sleep, random }: Patience,
  repository: Repository,
  tag: string,
  added: readonly Descriptor[],
): Promise<void> {
  const seen = new Map<string, unknown>();
  let quiet = 0;
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const current = await readTag(session, repository, tag);
    for (const [digest, entry] of current.entries) if (!seen.has(digest)) seen.set(digest, entry);
    for (const descriptor of added) if (!seen.has(descriptor.digest)) seen.set(descriptor.digest, descriptor);
    if (seen.size > manifestLimits.manifests) {
      throw cannotTell(
        'registry.limit',
        `${quoted(tag)} would hold more than the limit of ${manifestLimits.manifests} referrers`,
      );
    }
    if (current.entries.size === seen.size) {
      quiet += 1;
      if (quiet === quietReads) return;
    } else {
      quiet = 0;
      const bytes = encodeUtf8(JSON.stringify({ ...current.members, manifests: [...seen.values()] }));
      const options = current.etag === undefined ? {} : { ifMatch: current.etag };
      await pushManifest(session, repository, tag, mediaTypes.index, bytes, options);
    }
    await sleep(shortestWait + random() * (longestWait - shortestWait));
  }
  throw cannotTell(
    'registry.protocol',
    `could not list ${added.map(({ digest }) => digest).join(', ')} under ${quoted(tag)}: other writers replaced it ${maxTries} times`,
    { hint: 'what is to be listed was pushed; run the command again when nobody else signs this image' },
  );
}

async function readTag(session: Session, repository: Repository, tag: string): Promise<TagIndex> {
  const found = await fetchManifest(session, repository, tag);
  if (found === undefined) {
    return {
      members: { schemaVersion: 2, mediaType: mediaTypes.index },
      entries: new Map(),
      etag: undefined,
    };
  }
  const { bytes, document } = found.fetched;
  if (document.kind !== 'index' || document.mediaType !== mediaTypes.index) {
    throw cannotTell(
      'registry.protocol',
      `${quoted(tag)} in ${quoted(repository.repository)} is not an index of referrers`,
      { hint: 'something else was pushed under this tag; look at it and remove it' },
    );
  }
  const shape = new Shape(parseJson(bytes, tag, jsonLimits.manifest), tag);
  const raw = shape.get('manifests').list(manifestLimits.manifests);
  const entries = new Map(document.manifests.map(({ digest }, at) => [digest, raw[at]?.value] as const));
  return { members: { mediaType: mediaTypes.index, ...shape.record() }, entries, etag: found.etag };
}
