import { collect } from '../../base/bytes.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { chooseManifest } from '../../image/manifests.ts';
import { shellLine } from '../../launch/shell.ts';
import type { Host } from '../../system/host.ts';
import { openPlace } from '../place.ts';
import { hostPlatform } from '../registries.ts';
import type { VerifyRequest } from '../verify-image.ts';

/**
 * The health check of an image as flags of `podman run`. It stands in the configuration of the image, where
 * docker reads it; podman takes it from images in docker's format only, and ours are OCI's.
 *
 * @param flags of the container: where they speak of health, people have decided.
 */
export async function healthFlags(
  host: Host,
  { image, network = {}, platform = hostPlatform(host), verb = 'up' }: VerifyRequest,
  flags: readonly string[],
): Promise<readonly string[]> {
  if (flags.some((flag) => /^--(?:no-health|health-)/.test(flag))) {
    return [];
  }
  const place = { image, verb, engine: 'podman' as const, platform, as: undefined, network };
  const { ref, resolve, store } = await openPlace(host, place);
  const { manifest } = await chooseManifest(store, ref, await resolve(store), platform, image);
  const name = `the configuration of ${image}`;
  const bytes = await collect(store.blob(ref, manifest.config), jsonLimits.small.maxBytes, name);
  const config = new Shape(parseJson(bytes, name, { ...jsonLimits.small, surrogates: 'replaced' }), name);
  const check = present(present(config.get('config'))?.optional('Healthcheck'));
  return check === undefined ? [] : flagsOfCheck(check);
}

/**
 * https://github.com/moby/docker-image-spec: times in nanoseconds, `Test` begins with NONE, CMD or CMD-SHELL.
 */
export function flagsOfCheck(check: Shape): readonly string[] {
  const test = (present(check.optional('Test'))?.list(1000) ?? []).map((word) => word.string(100_000));
  const [form, ...words] = test;
  if (words.length === 0 || !(form === 'CMD' || form === 'CMD-SHELL')) {
    return [];
  }
  const seconds = (member: string, flag: string): readonly string[] => {
    const nanoseconds = present(check.optional(member))?.whole() ?? 0;
    return nanoseconds === 0 ? [] : [`--health-${flag}=${nanoseconds / 1e9}s`];
  };
  const retries = present(check.optional('Retries'))?.whole() ?? 0;
  return [
    `--health-cmd=${form === 'CMD' ? asCommand(words) : words[0]}`,
    ...seconds('Interval', 'interval'),
    ...seconds('Timeout', 'timeout'),
    ...seconds('StartPeriod', 'start-period'),
    ...(retries === 0 ? [] : [`--health-retries=${retries}`]),
  ];
}

/**
 * A command without a shell in the words of podman 4 and 5: `CMD` and words that it splits at blanks, or an
 * array of at least two without the keyword.
 */
function asCommand(words: readonly string[]): string {
  if (words.every((word) => /^\S+$/.test(word))) {
    return ['CMD', ...words].join(' ');
  }
  return words.length > 1 ? JSON.stringify(words) : shellLine(words[0] ?? '', []);
}

/** Go writes `null` for what is empty. */
function present(shape: Shape | undefined): Shape | undefined {
  return shape === undefined || shape.missing || shape.value === null ? undefined : shape;
}
