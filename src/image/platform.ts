import { cannotTell } from '../base/error.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import type { Descriptor, Index, Platform } from '../oci/manifest.ts';

/**
 * The entry of an index for a platform. Without a wanted variant the platform's usual one is preferred.
 * Attestation manifests of BuildKit, which stand in the index as `unknown/unknown`, are no images.
 *
 * @throws TcfError `image.platform` (exit 2) that names the platforms there are.
 */
export function choosePlatform(index: Index, wanted: Platform, what: string): Descriptor {
  const images = index.manifests.filter(isImage);
  const fitting = images.filter(
    ({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture,
  );
  const variant = variantOf(wanted);
  const chosen =
    fitting.find(({ platform }) => platform !== undefined && variantOf(platform) === variant) ??
    (wanted.variant === undefined ? fitting[0] : undefined);
  if (chosen !== undefined) {
    return chosen;
  }
  const names = new Set(images.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : [])));
  const list = [...names].sort(byCodeUnit).slice(0, 40).join(', ');
  throw cannotTell('image.platform', `${what} has no image for ${formatPlatform(wanted)}`, {
    hint: list === '' ? 'its index names no platforms' : `choose one with --platform: ${list}`,
  });
}

/** Attestation manifests of BuildKit are none. */
export function isImage({ platform, annotations }: Descriptor): boolean {
  return platform?.os !== 'unknown' && annotations?.['vnd.docker.reference.type'] === undefined;
}

/** The same text for two platforms that run the same programs. */
export function platformKey(platform: Platform): string {
  return JSON.stringify([platform.os, platform.architecture, variantOf(platform)]);
}

/** containerd's normal form: v8 is what arm64 means, v7 what arm means, v1 what amd64 means. */
function variantOf({ architecture, variant }: Platform): string {
  const usual: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8', arm: 'v7' };
  return variant ?? (Object.hasOwn(usual, architecture) ? usual[architecture] : undefined) ?? '';
}

/** `linux/arm64/v8`, safe to print. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return printable([os, architecture, ...(variant === undefined ? [] : [variant])].join('/'));
}
