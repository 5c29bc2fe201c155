import { encodeUtf8 } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { inParallel } from '../base/parallel.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { manifestTypes, mediaTypes } from '../oci/media-types.ts';
import type { Repository } from './contract.ts';
import { fallbackTag, fetchTag } from './fallback-list.ts';
import { writeSharedTag } from './push.ts';
import { referrerLimits } from './referrers-api.ts';
import { attempts, pauseAfter, type RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';

/** Each try is a read, mostly with a write; ten writers at once were seen to need under ten. */
const maxTries = 60;
/** How often the tag must be read and found whole before we go. */
const quietReads = 3;
/**
 * Milliseconds that another writer may need from its read to its write, in which our work can be undone
 * unseen. No less than this, and as long as we needed ourselves: the registry, the line and the machine are
 * often the same. No more than that, or a registry that hangs would hold us for ever.
 */
const pace = { least: 60, most: 1000 } as const;
/** A wait lasts from one pace up to four. */
const spread = 4;
/** Requests at once. */
const parallelChecks = 4;

/** The index at the tag as JSON, so that members we do not know survive. */
interface TagIndex {
  readonly members: Readonly<Record<string, unknown>>;
  readonly entries: ReadonlyMap<Digest, unknown>;
  readonly etag: string | undefined;
  /** The registry answered the image itself. */
  readonly isSubject: boolean;
}

/**
 * Adds descriptors to the index at the fallback tag of `subject`. The protocol has no lock, so two writers
 * can undo each other's work: where the registry sends ETags the write says which version it replaces, and in
 * any case the tag is read again after a random wait, and whatever was ever seen there and is gone is put
 * back. Every writer does so, therefore nothing stays lost while one of them is still looking.
 *
 * A registry may refuse an index that names a manifest which was deleted. Such an entry is left out, once the
 * registry says 404 to it.
 *
 * @throws TcfError `registry.protocol` when the tag holds something else or never comes to rest,
 *   `registry.refused` where it cannot be written.
 */
export async function addToTag(
  session: Session,
  { sleep, random }: RetryPolicy,
  repository: Repository,
  subject: Digest,
  added: readonly Descriptor[],
): Promise<void> {
  const tag = fallbackTag(subject);
  const list = new SharedList(tag, added);
  let quiet = 0;
  let failures = 0;
  let written = 0;
  let slowest: number = pace.least;
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    const begun = performance.now();
    const current = await readTag(session, repository, subject);
    if (current.isSubject && written >= quietReads) {
      throw keepsNoTag(repository, tag);
    }
    if (list.isComplete(current)) {
      quiet += 1;
      if (quiet === quietReads) {
        return;
      }
    } else {
      quiet = 0;
      const bytes = encodeUtf8(JSON.stringify({ ...current.members, manifests: list.entries() }));
      const write = await writeSharedTag(session, repository, {
        tag,
        mediaType: mediaTypes.index,
        bytes,
        etag: current.etag,
      });
      if (write.kind === 'sent') {
        written += 1;
      }
      failures = write.kind === 'failed' ? failures + 1 : 0;
      // Some registries answer 500 to an index that names a deleted manifest.
      if (write.kind === 'refused' || (write.kind === 'failed' && failures === attempts)) {
        failures = 0;
        const isSmaller = list.drop(await deletedOf(session, repository, list.foreign()));
        const isTaken = write.kind === 'refused' && current.isSubject;
        if (!isSmaller) {
          throw isTaken ? keepsNoTag(repository, tag, write.error) : write.error;
        }
      }
    }
    slowest = Math.min(Math.max(slowest, performance.now() - begun), pace.most);
    await sleep(failures > 0 ? pauseAfter(failures, random) : slowest * (1 + random() * (spread - 1)));
  }
  throw cannotTell(
    'registry.protocol',
    `could not list ${added.map(({ digest }) => digest).join(', ')} under ${quoted(tag)}: other writers replaced it ${maxTries} times`,
    {
      hint: 'the manifest was pushed and is not listed yet; run the command again when nobody else is signing this image',
    },
  );
}

/**
 * Takes what the registry no longer has out of the index at the fallback tag, once. Who writes it at the same
 * time puts back what is lost by that.
 *
 * @returns whether there was such an entry and the registry took the smaller index.
 */
export async function dropDeleted(
  session: Session,
  repository: Repository,
  subject: Digest,
): Promise<boolean> {
  const { entries, etag, members } = await readTag(session, repository, subject);
  const deleted = await deletedOf(session, repository, [...entries.keys()]);
  if (deleted.length === 0) {
    return false;
  }
  const kept = [...entries].flatMap(([digest, entry]) => (deleted.includes(digest) ? [] : [entry]));
  const { kind } = await writeSharedTag(session, repository, {
    tag: fallbackTag(subject),
    mediaType: mediaTypes.index,
    bytes: encodeUtf8(JSON.stringify({ ...members, manifests: kept })),
    etag,
  });
  return kind === 'sent';
}

/** All that this writer ever saw at the tag, and what it adds. */
class SharedList {
  readonly #tag: string;
  readonly #own: ReadonlySet<Digest>;
  readonly #seen = new Map<Digest, unknown>();
  readonly #deleted = new Set<Digest>();

  constructor(tag: string, added: readonly Descriptor[]) {
    this.#tag = tag;
    this.#own = new Set(added.map(({ digest }) => digest));
    for (const descriptor of added) {
      this.#seen.set(descriptor.digest, descriptor);
    }
  }

  /** Merges what the tag holds now, and says whether it holds everything. */
  isComplete({ entries }: TagIndex): boolean {
    const before = [...this.#seen.keys()];
    const merged = new Map(entries);
    for (const [digest, entry] of this.#seen) {
      if (!merged.has(digest)) {
        merged.set(digest, entry);
      }
    }
    this.#seen.clear();
    for (const [digest, entry] of merged) {
      if (!this.#deleted.has(digest)) {
        this.#seen.set(digest, entry);
      }
    }
    if (this.#seen.size > referrerLimits.entries) {
      throw cannotTell(
        'registry.limit',
        `${quoted(this.#tag)} would hold more than the limit of ${referrerLimits.entries} referrers`,
      );
    }
    return before.every((digest) => entries.has(digest));
  }

  entries(): readonly unknown[] {
    return [...this.#seen.values()];
  }

  /** What others listed. */
  foreign(): readonly Digest[] {
    return [...this.#seen.keys()].filter((digest) => !this.#own.has(digest));
  }

  /** Leaves entries out from the next merge on, and says whether there were any. */
  drop(deleted: readonly Digest[]): boolean {
    for (const digest of deleted) {
      this.#deleted.add(digest);
    }
    return deleted.length > 0;
  }
}

/** Which of these manifests the registry no longer has. Any answer but 404 leaves one where it is. */
async function deletedOf(
  session: Session,
  repository: Repository,
  digests: readonly Digest[],
): Promise<readonly Digest[]> {
  const deleted = await inParallel(digests, parallelChecks, async (digest) => {
    const answer = await session.call(repository, {
      method: 'HEAD',
      url: session.url(repository, `manifests/${digest}`),
      action: 'pull',
      headers: { accept: manifestTypes.join(', ') },
      what: `manifest ${digest}`,
    });
    answer.end();
    return answer.status === 404 ? [digest] : [];
  });
  return deleted.flat();
}

function keepsNoTag({ registry }: Repository, tag: string, cause?: TcfError): TcfError {
  const said = cause === undefined ? '' : `: ${cause.message}`;
  return cannotTell(
    'registry.refused',
    `${quoted(registry)} has no referrers API and takes the tag ${quoted(tag)} for the image itself${said}`,
    {
      hint: 'the signature was pushed and cannot be listed there; sign in a registry that docs/registries.md names, or copy the image there first',
      cause,
    },
  );
}

async function readTag(session: Session, repository: Repository, subject: Digest): Promise<TagIndex> {
  const found = await fetchTag(session, repository, subject);
  if (found.kind !== 'index') {
    return {
      members: { schemaVersion: 2, mediaType: mediaTypes.index },
      entries: new Map(),
      etag: undefined,
      isSubject: found.kind === 'subject',
    };
  }
  const tag = fallbackTag(subject);
  const shape = new Shape(parseJson(found.bytes, tag, jsonLimits.manifest), tag);
  const raw =
    shape.get('manifests').value === null ? [] : shape.get('manifests').list(referrerLimits.entries);
  const entries = new Map(
    found.document.manifests.map(({ digest }, at) => [digest, raw[at]?.value] as const),
  );
  const members = { mediaType: mediaTypes.index, ...shape.record() };
  return { members, entries, etag: found.etag, isSubject: false };
}
