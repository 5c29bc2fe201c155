import { compact } from '../base/compact.ts';
import { cannotTell, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, type Digest, digestOf, isDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { failure } from './answers.ts';
import type { Repository } from './contract.ts';
import { busy, isBroken } from './retry.ts';
import type { Call, Session } from './session.ts';
import type { HttpAnswer } from './transport.ts';

const action = 'pull,push';

/** What the registry said to a pushed manifest. */
export interface Pushed {
  readonly descriptor: Descriptor;
  /** Value of OCI-Subject: the registry has a referrers API and noted the subject. */
  readonly subject: string | undefined;
}

export async function pushManifest(
  session: Session,
  repository: Repository,
  reference: string | Digest,
  mediaType: string,
  bytes: Uint8Array,
): Promise<Pushed> {
  const what = nameOf(repository, reference);
  const digest = digestOf(bytes, isDigest(reference) ? algorithmOf(reference) : 'sha256');
  if (isDigest(reference) && reference !== digest) {
    throw cannotTell('content.digest', `${what}: its bytes are ${digest}`);
  }
  const answer = await session.call(repository, {
    method: 'PUT',
    url: session.url(repository, `manifests/${reference}`),
    action,
    headers: { 'content-type': mediaType },
    body: bytes,
    what,
  });
  if (answer.status !== 201) {
    throw await failure(answer, what, session.timeouts);
  }
  answer.end();
  const announced = answer.headers['docker-content-digest'];
  if (announced !== undefined && announced !== digest && algorithmOf(digest) === 'sha256') {
    throw cannotTell(
      'registry.protocol',
      `${what}: the registry keeps it as ${quoted(announced)}, not ${digest}`,
    );
  }
  return { descriptor: { mediaType, digest, size: bytes.length }, subject: answer.headers['oci-subject'] };
}

function nameOf({ registry, repository }: Repository, reference: string): string {
  return `upload of manifest ${quoted(`${registry}/${repository} ${reference}`)}`;
}

/** What became of a write of a shared tag. In each case the tag is to be read again. */
export type TagWrite =
  /** Somebody may have been faster all the same. */
  | { readonly kind: 'sent' }
  /** An error that may pass. */
  | { readonly kind: 'failed'; readonly error: TcfError }
  /** The registry does not want this content, or not at this tag. */
  | { readonly kind: 'refused'; readonly error: TcfError };

/** A tag, and what it is to hold. */
export interface SharedTag {
  readonly tag: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Of the version that is replaced, where the registry tells. */
  readonly etag: string | undefined;
}

/**
 * Writes a tag that others write as well, once: what was read before is stale by the time of a second
 * attempt, and would undo the work of others. With `etag`, only over that version.
 *
 * @throws TcfError `registry.unauthorized` and others that no other content would change.
 */
export async function writeSharedTag(
  session: Session,
  repository: Repository,
  { bytes, etag, mediaType, tag }: SharedTag,
): Promise<TagWrite> {
  const what = nameOf(repository, tag);
  const call: Call = {
    method: 'PUT',
    url: session.url(repository, `manifests/${tag}`),
    action,
    headers: compact({ 'content-type': mediaType, 'if-match': etag }),
    body: bytes,
    what,
    once: true,
  };
  let answer: HttpAnswer;
  try {
    answer = await session.call(repository, call);
  } catch (error) {
    if (error instanceof TcfError && isBroken(error)) {
      return { kind: 'failed', error };
    }
    throw error;
  }
  const outrun = etag !== undefined && (answer.status === 412 || answer.status === 409);
  if (answer.status === 201 || outrun) {
    answer.end();
    return { kind: 'sent' };
  }
  const error = await failure(answer, what, session.timeouts);
  if (busy.has(answer.status) || answer.status === 500) {
    return { kind: 'failed', error };
  }
  if (answer.status === 400 || answer.status === 404 || answer.status === 422) {
    return { kind: 'refused', error };
  }
  throw error;
}
