import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import type { Repository } from './contract.ts';
import { listByTag } from './fallback-list.ts';
import { listByApi, type ReferrersMode } from './referrers-api.ts';
import type { RetryPolicy } from './retry.ts';
import type { Session } from './session.ts';

/** What it takes to find and to list what refers to an image. */
export interface ReferrersContext {
  readonly session: Session;
  readonly retryPolicy: RetryPolicy;
  readonly mode: ReferrersMode;
}

export async function referrers(
  { session, mode }: ReferrersContext,
  repository: Repository,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const listed = mode === 'tag' ? undefined : await listByApi(session, repository, subject);
  if (listed !== undefined) {
    return listed;
  }
  if (mode !== 'api') {
    return await listByTag(session, repository, subject);
  }
  throw cannotTell(
    'registry.refused',
    `${quoted(repository.registry)} answers as a registry without the referrers API does`,
    { hint: 'leave --referrers api away, and the fallback tag is asked' },
  );
}
