import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, type Digest, digestOf, hexOf } from '../oci/digest.ts';
import type { Descriptor, Index } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Repository } from './contract.ts';
import { fetchManifest } from './manifest.ts';
import { referrerListLimits } from './referrers-api.ts';
import type { Session } from './session.ts';

/** `sha256-<64 hex>`: distribution specification, "Referrers Tag Schema"; longer hex is cut there. */
export function fallbackTag(subject: Digest): string {
  return `${subject.slice(0, subject.indexOf(':'))}-${hexOf(subject).slice(0, 64)}`;
}

/**
 * What the index at the fallback tag lists; nothing where there is no tag.
 *
 * @throws TcfError `registry.protocol` when the tag holds something that is neither an index nor the subject,
 *   `registry.*`.
 */
export async function listByTag(
  session: Session,
  repository: Repository,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const found = await fetchTag(session, repository, subject);
  return found.kind === 'index' ? found.document.manifests : [];
}

/** What stands at the fallback tag of an image. */
export type AtTag =
  | { readonly kind: 'none' }
  /**
   * GitLab takes `sha256-<hex>` for the digest and answers the image itself (oras-project/oras-go#1396): it
   * has no such tag.
   */
  | { readonly kind: 'subject' }
  | {
      readonly kind: 'index';
      readonly bytes: Uint8Array;
      readonly document: Index;
      readonly etag: string | undefined;
    };

export async function fetchTag(session: Session, repository: Repository, subject: Digest): Promise<AtTag> {
  const tag = fallbackTag(subject);
  const found = await fetchManifest(session, repository, tag, referrerListLimits);
  if (found === undefined) {
    return { kind: 'none' };
  }
  const { bytes, document } = found.fetched;
  if (digestOf(bytes, algorithmOf(subject)) === subject) {
    return { kind: 'subject' };
  }
  if (document.kind === 'index' && document.mediaType === mediaTypes.index) {
    return { kind: 'index', bytes, document, etag: found.etag };
  }
  throw cannotTell(
    'registry.protocol',
    `${quoted(tag)} in ${quoted(repository.repository)} is not an index of referrers`,
    {
      hint: 'the specification keeps this tag for what refers to an image; if an image of yours is there, give it another tag first',
    },
  );
}
