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

/** @throws TcfError (exit 2) for anything that is not an image configuration. */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const shape = new Shape(parseJson(bytes, what, jsonLimits.small), what);
  const rootfs = shape.get('rootfs');
  if (rootfs.get('type').string() !== 'layers')
    throw cannotTell('config.rootfs', `${what} has no rootfs of type "layers"`);
  const runtime = present(shape.get('config'));
  const labels = runtime && present(runtime.get('Labels'));
  const env = runtime && present(runtime.get('Env'));
  const created = shape.optional('created')?.string(100);
  const variant = shape.optional('variant')?.string(100);
  return {
    os: shape.get('os').string(100),
    architecture: shape.get('architecture').string(100),
    ...(variant === undefined || variant === '' ? {} : { variant }),
    ...(created === undefined ? {} : { created }),
    diffIds: (present(rootfs.get('diff_ids'))?.list(manifestLimits.layers) ?? []).map(readDigest),
    history: (present(shape.get('history'))?.list(10 * manifestLimits.layers) ?? []).map(readHistory),
    labels: labels?.strings() ?? {},
    env: env?.list(10_000).map((line) => line.string()) ?? [],
  };
}

function readHistory(shape: Shape): History {
  const created = shape.optional('created')?.string(100);
  const createdBy = shape.optional('created_by')?.string(1_000_000);
  return {
    ...(created === undefined ? {} : { created }),
    ...(createdBy === undefined ? {} : { createdBy }),
    emptyLayer: present(shape.get('empty_layer'))?.boolean() ?? false,
  };
}

/** Go writes `null` for an empty map or list. */
function present(shape: Shape): Shape | undefined {
  return shape.missing || shape.value === null ? undefined : shape;
}
