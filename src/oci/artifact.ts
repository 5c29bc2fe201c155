import { encodeUtf8 } from '../base/bytes.ts';
import type { Descriptor } from './manifest.ts';
import { mediaTypes } from './media-types.ts';

/** The configuration of what is no image, and its content. */
export const emptyConfig: { readonly mediaType: string; readonly bytes: Uint8Array } = {
  mediaType: mediaTypes.empty,
  bytes: encodeUtf8('{}'),
};

/**
 * The manifest of an artifact with one layer, as the image specification advises for what is no image
 * (https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage).
 */
export function formatArtifact(artifactType: string, config: Descriptor, layer: Descriptor): Uint8Array {
  return encodeUtf8(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config,
      layers: [layer],
    }),
  );
}
