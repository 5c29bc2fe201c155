import { encodeUtf8 } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { type Descriptor, manifestLimits } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Repository } from './contract.ts';
import { fetchManifest } from './manifest.ts';
import { writeSharedTag } from './push.ts';
import { attempts, pauseAfter, type RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';

/** Each try is a read, mostly with a write; ten writers at once were seen to need under ten. */
const maxTries = 60;
/** How often the tag must be read and found whole before we go. */
const quietReads = 3;
/**
 * Milliseconds that another writer may need from its read to its write, in which our work can be undone unseen. No less than this, and as long as we needed
 * ourselves: the registry, the line and the machine are often the same. No more than that, or a registry that hangs would hold us for ever.
 */
const pace = { least: 60, most: 1000 } as const;
/** A wait lasts from one pace up to so many. */
const spread = 4;

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
  { sleep, random }: RetryPolicy,
  repository: Repository,
  tag: string,
  added: readonly Descriptor[],
): Promise<void> {
  const seen = new Map<string, unknown>();
  let quiet = 0;
  let failures = 0;
  let slowest: number = pace.least;
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const begun = performance.now();
    const current = await readTag(session, repository, tag);
    mergeSeen(seen, current, added, tag);
    if (current.entries.size === seen.size) {
      quiet += 1;
      if (quiet === quietReads) return;
    } else {
      quiet = 0;
      const failed = await writeTag(session, repository, tag, current, seen);
      failures = failed === undefined ? 0 : failures + 1;
      if (failed !== undefined && failures === attempts) throw failed;
    }
    slowest = Math.min(Math.max(slowest, performance.now() - begun), pace.most);
    await sleep(failures > 0 ? pauseAfter(failures, random) : slowest * (1 + random() * (spread - 1)));
  }
  throw cannotTell(
    'registry.protocol',
    `could not list ${added.map(({ digest }) => digest).join(', ')} under ${quoted(tag)}: other writers replaced it ${maxTries} times`,
    { hint: 'what is to be listed was pushed; run the command again when nobody else signs this image' },
  );
}

function mergeSeen(
  seen: Map<string, unknown>,
  { entries }: TagIndex,
  added: readonly Descriptor[],
  tag: string,
): void {
  for (const [digest, entry] of entries) if (!seen.has(digest)) seen.set(digest, entry);
  for (const descriptor of added) if (!seen.has(descriptor.digest)) seen.set(descriptor.digest, descriptor);
  if (seen.size <= manifestLimits.manifests) return;
  throw cannotTell(
    'registry.limit',
    `${quoted(tag)} would hold more than the limit of ${manifestLimits.manifests} referrers`,
  );
}

function writeTag(
  session: Session,
  repository: Repository,
  tag: string,
  { etag, members }: TagIndex,
  entries: ReadonlyMap<string, unknown>,
): Promise<TcfError | undefined> {
  const bytes = encodeUtf8(JSON.stringify({ ...members, manifests: [...entries.values()] }));
  return writeSharedTag(session, repository, tag, mediaTypes.index, bytes, etag);
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
