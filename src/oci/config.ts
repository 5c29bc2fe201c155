import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { type Digest, readDigest } from './digest.ts';
import { manifestLimits, type Platform } from './manifest.ts';

export interface History {
  readonly created?: string;
  readonly createdBy?: string;
  readonly emptyLayer: boolean;
}

/** OCI image specification, "image configuration", as far as tcf looks. */
export interface ImageConfig extends Platform {
  /** RFC 3339, as written by the builder. */
  readonly created?: string;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly History[];
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value` lines. */
  readonly env: readonly string[];
}

/** Buildpacks write half a megabyte into one label. The limit of the whole document holds all the same. */
const maxText = 8 * 1024 * 1024;

/** @throws TcfError (exit 2) for anything that is not an image configuration. */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const shape = new Shape(parseJson(bytes, what, { ...jsonLimits.small, surrogates: 'replaced' }), what);
  const rootfs = shape.get('rootfs');
  if (rootfs.get('type').string() !== 'layers') {
    throw cannotTell('config.rootfs', `${what} has no rootfs of type "layers"`);
  }
  const runtime = present(shape.get('config'));
  const labels = runtime && present(runtime.get('Labels'));
  const env = runtime && present(runtime.get('Env'));
  const created = shape.optional('created')?.string(100);
  const variant = shape.optional('variant')?.string(100);
  return compact({
    os: shape.get('os').string(100),
    architecture: shape.get('architecture').string(100),
    ...(variant === undefined || variant === '' ? {} : { variant }),
    created,
    diffIds: (present(rootfs.get('diff_ids'))?.list(manifestLimits.layers) ?? []).map(readDigest),
    history: (present(shape.get('history'))?.list(10 * manifestLimits.layers) ?? []).map(readHistory),
    labels: labels?.strings(10_000, maxText) ?? {},
    env: env?.list(10_000).map((line) => line.string(maxText)) ?? [],
  });
}

function readHistory(shape: Shape): History {
  const created = shape.optional('created')?.string(100);
  const createdBy = shape.optional('created_by')?.string(maxText);
  return compact({
    created,
    createdBy,
    emptyLayer: present(shape.get('empty_layer'))?.boolean() ?? false,
  });
}

/** Go writes `null` for an empty map or list. */
function present(shape: Shape): Shape | undefined {
  return shape.missing || shape.value === null ? undefined : shape;
}
