import { compact } from '../base/compact.ts';
import { askedWrongly, TcfError } from '../base/error.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { type Descriptor, parseManifest } from '../oci/manifest.ts';
import type { Fetched, Repository } from './contract.ts';
import { addToTag, dropDeleted } from './fallback-tag.ts';
import { type Pushed, pushManifest } from './push.ts';
import type { ReferrersContext } from './referrers.ts';
import { hasApi } from './referrers-api.ts';
import type { Session } from './session.ts';

export async function attach(
  context: ReferrersContext,
  repository: Repository,
  bytes: Uint8Array,
  subject: Descriptor,
): Promise<Descriptor> {
  const document = parseManifest(bytes, undefined, 'the manifest to attach');
  const descriptor = { mediaType: document.mediaType, digest: digestOf(bytes), size: bytes.length };
  await attachAll(context, repository, [{ bytes, descriptor, document }], subject.digest);
  return descriptor;
}

/**
 * Pushes what refers to `subject`; whatever the registry does not list by itself goes into the fallback tag,
 * all at once.
 */
export async function attachAll(
  { session, retryPolicy, mode }: ReferrersContext,
  repository: Repository,
  manifests: readonly Fetched[],
  subject: Digest,
): Promise<void> {
  for (const { document } of manifests) {
    if (document.subject?.digest !== subject) {
      throw askedWrongly(
        'manifest.subject',
        `the manifest to attach does not name ${subject} as its subject`,
      );
    }
  }
  const unlisted: Descriptor[] = [];
  let api = mode === 'auto' ? undefined : mode === 'api';
  for (const manifest of manifests) {
    const { document } = manifest;
    const pushed = await pushReferrer(session, repository, manifest, mode === 'api' ? undefined : subject);
    // OCI-Subject alone is not enough: there are registries that send it and have no API (AWS ECR).
    if (pushed.subject === subject) {
      api ??= await hasApi(session, repository, subject);
    }
    const isListed = mode === 'api' || (pushed.subject === subject && api === true);
    if (!isListed) {
      unlisted.push(toEntry(pushed.descriptor, document));
    }
  }
  if (unlisted.length > 0) {
    await addToTag(session, retryPolicy, repository, subject, unlisted);
  }
}

/**
 * A registry may take no manifest at all into a repository in which an index lists a deleted one (zot 1.4
 * answers 500). Where that is so, the index at the fallback tag of `subject` is rid of such entries first.
 */
async function pushReferrer(
  session: Session,
  repository: Repository,
  { bytes, descriptor: { digest, mediaType } }: Fetched,
  subject: Digest | undefined,
): Promise<Pushed> {
  const push = () => pushManifest(session, repository, digest, mediaType, bytes);
  try {
    return await push();
  } catch (error) {
    const isAnswer = error instanceof TcfError && error.code === 'registry.unreachable';
    if (isAnswer && subject !== undefined && (await dropDeleted(session, repository, subject))) {
      return await push();
    }
    throw error;
  }
}

/**
 * Distribution specification, "Pushing Manifests with Subject": what the entry in the index of the fallback
 * tag says.
 */
function toEntry({ mediaType, digest, size }: Descriptor, document: Fetched['document']): Descriptor {
  const artifactType =
    document.artifactType ?? (document.kind === 'manifest' ? document.config.mediaType : undefined);
  return compact({
    mediaType,
    digest,
    size,
    artifactType,
    ...(Object.keys(document.annotations).length === 0 ? {} : { annotations: document.annotations }),
  });
}
