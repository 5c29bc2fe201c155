import { encodeUtf8 } from '../base/bytes.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Registry, Repository } from '../registry/contract.ts';

/** The content of `application/vnd.oci.empty.v1+json`. */
const emptyConfig: Uint8Array = encodeUtf8('{}');

/**
 * The manifest by which a bundle refers to an image, as cosign 3 writes it (`WriteReferrer`): an empty
 * configuration, the bundle as the only layer.
 */
export function formatReferrer(
  subject: Descriptor,
  bundle: Descriptor,
  config: Descriptor,
  predicateType: string,
  now: Date,
): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { ...named(config), artifactType: mediaTypes.sigstoreBundle },
      layers: [named(bundle)],
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': predicateType,
        'org.opencontainers.image.created': now.toISOString().replace(/\.\d+Z$/, 'Z'),
      },
      subject: named(subject),
      artifactType: mediaTypes.sigstoreBundle,
    }),
  );
}

function named({ mediaType, size, digest }: Descriptor): Pick<Descriptor, 'mediaType' | 'size' | 'digest'> {
  return { mediaType, size, digest };
}

/** A bundle that was just made. */
export interface NewBundle {
  readonly bundle: Uint8Array;
  readonly predicateType: string;
  /** Becomes `org.opencontainers.image.created`. */
  readonly now: Date;
}

/**
 * Attaches a bundle to an image or an index in its repository, and returns the descriptor of the new
 * referrer.
 *
 * @throws TcfError `registry.*` (exit 2). Blobs may then have been uploaded; the image itself is never
 *   touched.
 */
export async function attachBundle(
  registry: Pick<Registry, 'attach' | 'pushBlob'>,
  repository: Repository,
  subject: Descriptor,
  { bundle, now, predicateType }: NewBundle,
): Promise<Descriptor> {
  const config = await registry.pushBlob(repository, mediaTypes.empty, emptyConfig);
  const layer = await registry.pushBlob(repository, mediaTypes.sigstoreBundle, bundle);
  return registry.attach(repository, formatReferrer(subject, layer, config, predicateType, now), subject);
}
