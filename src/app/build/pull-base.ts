import { join } from 'node:path';
import { collect } from '../../base/bytes.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { chooseManifest } from '../../image/manifests.ts';
import { parseImageConfig } from '../../oci/config.ts';
import { hexOf, parseDigest } from '../../oci/digest.ts';
import { formatPinnedRef, parseImageRef, pin } from '../../oci/reference.ts';
import type { Host } from '../../system/host.ts';
import { copyImage } from '../copy-image.ts';
import type { Lock } from '../lock/lock.ts';
import { type Network, openUserRegistry } from '../network.ts';
import { resolveImage } from '../registries.ts';
import { type Stage, stageTag } from './stage.ts';

/**
 * Fetches the base image that a lock names by its digest into a layout. Its layers stay as they are, to the
 * byte.
 *
 * @throws TcfError as the registry does: another digest is never taken.
 */
export async function pullBase(
  host: Host,
  { digest, image }: { readonly image: string; readonly digest: string },
  {
    network,
    platform,
    work,
  }: { readonly network: Network | undefined; readonly platform: Lock['platform']; readonly work: string },
): Promise<Stage> {
  const { registry: server, repository } = parseImageRef(image);
  const ref = { registry: server, repository, digest: parseDigest(digest) };
  const registry = await openUserRegistry(host, network);
  const named = await resolveImage(registry, ref);
  const [os = '', architecture = ''] = platform.split('/');
  const { descriptor, manifest } = await chooseManifest(registry, ref, named, { os, architecture }, image);
  const layout = join(work, 'layout');
  const from = formatPinnedRef(pin(ref, descriptor.digest));
  await copyImage(host, {
    from,
    to: `oci:${layout}:${stageTag}`,
    ...(network === undefined ? {} : { network }),
  });
  const bytes = await collect(
    registry.blob(ref, manifest.config),
    jsonLimits.small.maxBytes,
    'the configuration of the base',
  );
  const config = parseImageConfig(bytes, 'the configuration of the base');
  const runtime = new Shape(parseJson(bytes, 'the configuration of the base', jsonLimits.small), 'config')
    .get('config')
    .record();
  return {
    layout,
    digest: descriptor.digest,
    layers: manifest.layers.flatMap((layer, index) => {
      const diffId = config.diffIds[index];
      return diffId === undefined
        ? []
        : [{ descriptor: layer, diffId, file: join(layout, 'blobs/sha256', hexOf(layer.digest)) }];
    }),
    history: config.history.map(({ createdBy = '', emptyLayer }) => ({ createdBy, isEmpty: emptyLayer })),
    runtime,
  };
}
