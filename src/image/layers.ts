import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { plural } from '../base/text.ts';
import type { ImageConfig } from '../oci/config.ts';
import { checked } from '../oci/digest.ts';
import type { Platform } from '../oci/manifest.ts';
import type { ImageLayer, StoredLayer } from './contract.ts';
import { decompressed } from './decompress.ts';

/**
 * Pairs what a store has with what the configuration says: one layer for each diffID, each checked against
 * it.
 *
 * @throws TcfError `image.layers` (exit 2) when the counts differ: which layer is which would be a guess.
 */
export function toLayers(
  config: ImageConfig,
  stored: readonly StoredLayer[],
  what: string,
): readonly ImageLayer[] {
  if (stored.length !== config.diffIds.length) {
    throw cannotTell(
      'image.layers',
      `${what} has ${plural(stored.length, 'layer')} and ${plural(config.diffIds.length, 'diffID')}`,
    );
  }
  const steps = config.history.filter(({ emptyLayer }) => !emptyLayer);
  return config.diffIds.flatMap((diffId, index) => {
    const layer = stored[index];
    if (layer === undefined) {
      return [];
    }
    // A history that does not fit the layers says nothing about any of them.
    const createdBy = steps.length === config.diffIds.length ? steps[index]?.createdBy : undefined;
    const name = `layer ${index} of ${what}`;
    const open = () => checked(decompressed(layer.open(), layer.mediaType, name), diffId, undefined, name);
    return compact({
      index,
      diffId,
      what: name,
      stored: layer,
      createdBy,
      open,
    });
  });
}

export function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return compact({ os, architecture, variant });
}
