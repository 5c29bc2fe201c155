import { compact } from '../base/compact.ts';
import { askedWrongly } from '../base/error.ts';
import { plural, quoted } from '../base/text.ts';
import type { BaseImage } from '../bom/model.ts';
import type { OpenImage } from '../image/contract.ts';
import type { Platform } from '../oci/manifest.ts';
import type { Host } from '../system/host.ts';
import type { Network } from './network.ts';
import { openImage } from './open-image.ts';
import { claimedBaseOf } from './scan.ts';

export interface BaseRequest {
  readonly base: string;
  /** Default: the one of the image. */
  readonly platform: Platform | undefined;
  readonly network: Network | undefined;
}

/**
 * The base that the user names with `--base`, or with `--base auto` the one that the builder names, proven by
 * its layers: they must be the lowest ones of the image. Nothing of it is read but its configuration. A claim
 * alone splits nothing, because anybody may write a label, and no registry is asked because of one unless the
 * user says so.
 *
 * @throws TcfError `sbom.base` (exit 3) where the image is not built on it.
 */
export async function openBase(
  host: Host,
  image: OpenImage,
  { base: asked, network, platform }: BaseRequest,
): Promise<BaseImage> {
  const name = asked === 'auto' ? claimedName(image) : asked;
  const { architecture, os } = image.config;
  await using base = await openImage(
    host,
    name,
    compact({ platform: platform ?? { os, architecture }, network }),
  );
  const { config, configDigest, manifestDigest, repository } = base;
  const layers = config.diffIds.length;
  const why = whyNot(base, image);
  if (why !== undefined) {
    throw askedWrongly('sbom.base', `the image is not built on ${quoted(name)}: ${why}`, {
      hint: 'a tag may have moved on since the build; name the base by the digest it had then',
    });
  }
  return compact({
    configDigest,
    layers,
    manifestDigest,
    repository,
  });
}

/** One sentence; `undefined` where the layers of `base` are the lowest ones of `image`. */
function whyNot(base: OpenImage, image: OpenImage): string | undefined {
  const [below, own] = [base.config.diffIds, image.config.diffIds];
  if (base.configDigest === image.configDigest) {
    return 'that is the image itself';
  }
  if (below.length === 0) {
    return 'that has no layers';
  }
  const differing = below.findIndex((diffId, index) => own[index] !== diffId);
  if (differing < 0) {
    return undefined;
  }
  return differing < own.length
    ? `layer ${differing} differs`
    : `that has ${plural(below.length, 'layer')}, and this ${own.length}`;
}

function claimedName(image: OpenImage): string {
  const { name, digest } = claimedBaseOf(image).claimedBase ?? {};
  if (name === undefined || digest === undefined) {
    throw askedWrongly('sbom.base', 'the image does not say which base it was built on, by name and digest', {
      hint: 'write --base IMAGE, or build with the annotations org.opencontainers.image.base.name and .digest',
    });
  }
  // The digest decides; a tag beside it may have moved.
  return `docker://${name.replace(/^docker:\/\//, '').replace(/@.*$/, '')}@${digest}`;
}
