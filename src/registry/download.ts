import type { Bytes } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { checked } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { failure } from './answers.ts';
import type { Repository } from './contract.ts';
import { attempts, isBroken, pauseAfter, type RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';
import type { HttpAnswer } from './transport.ts';

/**
 * Bytes between two breaks of a connection that are progress: such a download is resumed as often as it
 * breaks.
 */
const worthIt = 1024 * 1024;

/** What is asked for: a blob, or what lies in it from `start` to before `end`. */
export interface BlobPart {
  readonly repository: Repository;
  readonly blob: Descriptor;
  readonly start: number;
  readonly end: number;
}

/** A whole blob, checked while it passes. */
export function fetchBlob(
  session: Session,
  retryPolicy: RetryPolicy,
  repository: Repository,
  blob: Descriptor,
): Bytes {
  const { digest, size } = blob;
  const part = { repository, blob, start: 0, end: size };
  return checked(unbroken(session, retryPolicy, part), digest, size, nameOf(part));
}

/** Part of a blob, unchecked: exactly as many bytes as were asked for. */
export async function* fetchRange(session: Session, retryPolicy: RetryPolicy, part: BlobPart): Bytes {
  let left = part.end - part.start;
  for await (const chunk of unbroken(session, retryPolicy, part)) {
    left -= chunk.length;
    if (left < 0) {
      break;
    }
    yield chunk;
  }
  if (left !== 0) {
    throw otherThanAsked(part);
  }
}

function nameOf({ blob, repository }: BlobPart): string {
  return `blob ${blob.digest} of ${quoted(`${repository.registry}/${repository.repository}`)}`;
}

function otherThanAsked(part: BlobPart): Error {
  return cannotTell(
    'registry.ranges',
    `${nameOf(part)}: the registry does not send the part that was asked for`,
    {
      hint: 'leave out --partial',
    },
  );
}

/**
 * The bytes of a part; when the line breaks, asked for again from where it broke. Whether the pieces fit is
 * for digests to say.
 */
async function* unbroken(session: Session, { random, sleep }: RetryPolicy, part: BlobPart): Bytes {
  const all = part.end - part.start;
  let seen = 0;
  for (let attempt = 1; ; attempt += 1) {
    const before = seen;
    try {
      for await (const chunk of fetchFrom(session, part, part.start + seen)) {
        seen += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (seen === all) {
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

async function* fetchFrom(session: Session, part: BlobPart, start: number): Bytes {
  const { blob, end, repository } = part;
  const isToEnd = end === blob.size;
  const isWhole = isToEnd && start === 0;
  const answer = await session.call(repository, {
    method: 'GET',
    url: session.url(repository, `blobs/${blob.digest}`),
    action: 'pull',
    ...(isWhole ? {} : { headers: { range: `bytes=${start}-${isToEnd ? '' : end - 1}` } }),
    what: nameOf(part),
  });
  if (answer.status !== 200 && !(answer.status === 206 && !isWhole)) {
    throw await failure(answer, nameOf(part), session.timeouts);
  }
  yield* fromThere(part, start, answer);
}

/** A server that knows no ranges sends all of it again, which is of use only where most of it is wanted. */
async function* fromThere(part: BlobPart, start: number, answer: HttpAnswer): Bytes {
  if (answer.status === 200 && part.start > 0) {
    answer.end();
    throw otherThanAsked(part);
  }
  let skip = answer.status === 206 ? 0 : start;
  for await (const chunk of answer.body) {
    const rest = chunk.subarray(skip);
    skip -= chunk.length - rest.length;
    if (rest.length > 0) {
      yield rest;
    }
  }
}
