import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, checkContent, type Digest, digestOf, isDigest } from '../oci/digest.ts';
import { type ManifestLimits, manifestLimits, parseManifest } from '../oci/manifest.ts';
import { manifestTypes } from '../oci/media-types.ts';
import { failure, readDocument } from './answers.ts';
import type { Fetched, Repository } from './contract.ts';
import type { Session } from './session.ts';
import type { HttpAnswer } from './transport.ts';

/**
 * cosign 2 keeps a layer for each signature at one tag, with its certificate in annotations: 8 KB each, and a
 * registry that is its own may take them all.
 */
const cosign2Limits: ManifestLimits = { ...manifestLimits, maxBytes: 32 * 1024 * 1024, layers: 4000 };

function limitsFor(reference: string): ManifestLimits {
  return /^sha256-[0-9a-f]{64}\.(?:att|sbom|sig)$/.test(reference) ? cosign2Limits : manifestLimits;
}

/** Without parameters, in lower case. */
export function contentTypeOf({ headers }: HttpAnswer): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

/** GET of a manifest, with the ETag it came with. `undefined`: 404. */
export async function fetchManifest(
  session: Session,
  repository: Repository,
  reference: string | Digest,
  limits: ManifestLimits = limitsFor(reference),
): Promise<{ readonly fetched: Fetched; readonly etag: string | undefined } | undefined> {
  const separator = isDigest(reference) ? '@' : ':';
  const what = `manifest ${quoted(`${repository.registry}/${repository.repository}${separator}${reference}`)}`;
  const answer = await session.call(repository, {
    method: 'GET',
    url: session.url(repository, `manifests/${reference}`),
    action: 'pull',
    headers: { accept: manifestTypes.join(', ') },
    what,
  });
  if (answer.status === 404) {
    answer.end();
    return undefined;
  }
  if (answer.status !== 200) {
    throw await failure(answer, what, session.timeouts);
  }
  const bytes = await readDocument(answer, limits.maxBytes, what, session.timeouts);
  if (session.secrets.isInDocument(bytes)) {
    throw cannotTell('registry.refused', `${what} repeats a credential`);
  }
  const announced = answer.headers['docker-content-digest'];
  if (isDigest(reference)) {
    checkContent(bytes, reference, what);
  }
  if (announced !== undefined) {
    if (!isDigest(announced)) {
      throw cannotTell('registry.protocol', `${what} came with ${quoted(announced)} as its digest`);
    }
    checkContent(bytes, announced, what);
  }
  const contentType = contentTypeOf(answer);
  const document = parseManifest(bytes, contentType, what, limits);
  const digest = isDigest(reference)
    ? reference
    : digestOf(bytes, announced === undefined ? 'sha256' : algorithmOf(announced));
  return {
    fetched: { bytes, descriptor: { mediaType: document.mediaType, digest, size: bytes.length }, document },
    etag: answer.headers['etag'],
  };
}
