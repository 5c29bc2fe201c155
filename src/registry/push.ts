import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, type Digest, digestOf, isDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { failure } from './answers.ts';
import type { Repository } from './contract.ts';
import type { Session } from './session.ts';

const action = 'pull,push';

export interface PushOptions {
  /** Push only over the version with this entity tag. */
  readonly ifMatch?: string;
}

/** What the registry said to a pushed manifest; `conflict` where somebody was faster and `ifMatch` kept their version. */
export interface Pushed {
  readonly descriptor: Descriptor;
  /** Value of OCI-Subject: the registry has a referrers API and noted the subject. */
  readonly subject: string | undefined;
  readonly conflict: boolean;
}

export async function pushManifest(
  session: Session,
  repository: Repository,
  reference: string | Digest,
  mediaType: string,
  bytes: Uint8Array,
  { ifMatch }: PushOptions = {},
): Promise<Pushed> {
  const what = `upload of manifest ${quoted(`${repository.registry}/${repository.repository} ${reference}`)}`;
  const digest = digestOf(bytes, isDigest(reference) ? algorithmOf(reference) : 'sha256');
  if (isDigest(reference) && reference !== digest) {
    throw cannotTell('content.digest', `${what}: its bytes are ${digest}`);
  }
  const answer = await session.call(repository, {
    method: 'PUT',
    url: session.url(repository, `manifests/${reference}`),
    action,
    headers: { 'content-type': mediaType, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) },
    body: bytes,
    what,
  });
  const conflict = ifMatch !== undefined && (answer.status === 412 || answer.status === 409);
  if (!conflict && answer.status !== 201) throw await failure(answer, what, session.timeouts);
  answer.end();
  const announced = answer.headers['docker-content-digest'];
  if (!conflict && announced !== undefined && announced !== digest && algorithmOf(digest) === 'sha256') {
    throw cannotTell(
      'registry.protocol',
      `${what}: the registry keeps it as ${quoted(announced)}, not ${digest}`,
    );
  }
  return {
    descriptor: { mediaType, digest, size: bytes.length },
    subject: answer.headers['oci-subject'],
    conflict,
  };
}
