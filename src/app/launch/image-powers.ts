import { collect } from '../../base/bytes.ts';
import { jsonLimits } from '../../base/json.ts';
import { chooseManifest } from '../../image/manifests.ts';
import type { DevContainer } from '../../launch/devcontainer/document.ts';
import { powersOfLabel } from '../../launch/devcontainer/label.ts';
import { parseImageConfig } from '../../oci/config.ts';
import type { Platform } from '../../oci/manifest.ts';
import { formatImageRef, type ImageRef } from '../../oci/reference.ts';
import type { Host } from '../../system/host.ts';
import { nameToAsk } from '../local-image.ts';
import type { Network } from '../network.ts';
import { openPlace } from '../place.ts';
import { hostPlatform } from '../registries.ts';

/** A dev container, and the image that it starts. */
export interface PowersRequest {
  readonly image: ImageRef;
  readonly container: DevContainer;
  /** Which image of an index. Default: the one of this machine. */
  readonly platform: Platform | undefined;
  readonly network: Network;
}

/**
 * What an image asks of the host in its label `devcontainer.metadata`, and the project does not. The label is
 * that of the configuration that the verified manifest names: content by digest, all the way.
 */
export async function powersOfImage(
  host: Host,
  { container, image, network, platform = hostPlatform(host) }: PowersRequest,
): Promise<readonly string[]> {
  const what = formatImageRef(image);
  const { ref, resolve, store } = await openPlace(host, {
    image: nameToAsk(image),
    verb: 'devcontainer',
    engine: undefined,
    platform,
    as: undefined,
    network,
  });
  const { manifest } = await chooseManifest(store, ref, await resolve(store), platform, what);
  const name = `the configuration of ${what}`;
  const config = parseImageConfig(
    await collect(store.blob(ref, manifest.config), jsonLimits.small.maxBytes, name),
    name,
  );
  const label = config.labels['devcontainer.metadata'];
  return label === undefined ? [] : powersOfLabel(label, container);
}
