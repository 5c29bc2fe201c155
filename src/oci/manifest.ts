import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { type Digest, readDigest } from './digest.ts';
import { mediaTypes } from './media-types.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/**
 * OCI image specification, "descriptor". `urls` and `data` are not read: content comes from the registry or
 * not at all.
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
  readonly platform?: Platform;
}

export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Index {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The most that is read of one document: its bytes, the layers of a manifest, the entries of an index. */
export interface ManifestLimits {
  readonly maxBytes: number;
  readonly layers: number;
  readonly manifests: number;
}

export const manifestLimits: ManifestLimits = {
  maxBytes: jsonLimits.manifest.maxBytes,
  /** Overlay file systems take 128 layers, and docker stops at 127. */
  layers: 1000,
  /** An index of a real image has under 50 platforms; A-10 wants more than 1000 refused. */
  manifests: 1000,
};

const indexTypes: readonly string[] = [mediaTypes.index, mediaTypes.dockerIndex];
const imageTypes: readonly string[] = [mediaTypes.manifest, mediaTypes.dockerManifest];

/**
 * Reads the bytes of a manifest or an index. `contentType` is what the transport announced, if it announces
 * anything.
 *
 * Refused, because two readers would see two images: a document with both `layers` and `manifests`
 * (CVE-2021-41190), a mediaType that differs from the announced type, schema 1, more than `limits`.
 *
 * @throws TcfError (exit 2).
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string | undefined,
  what: string,
  limits: ManifestLimits = manifestLimits,
): Manifest | Index {
  const json = { ...jsonLimits.manifest, maxBytes: limits.maxBytes };
  const shape = new Shape(parseJson(bytes, what, json), what);
  const schema = shape.get('schemaVersion').value;
  if (schema !== 2) {
    throw cannotTell(
      'manifest.schema',
      // An object without a prototype, as JSON is read here, has no text of its own.
      `${what} has schemaVersion ${quoted(JSON.stringify(schema) ?? 'none')}; only 2 is read`,
      {
        hint: 'push the image again with a tool of this decade; schema 1 has no verifiable digest',
      },
    );
  }
  const stated = shape.optional('mediaType')?.string(200);
  if (stated !== undefined && contentType !== undefined && stated !== contentType) {
    throw cannotTell(
      'manifest.media-type',
      `${what} says ${quoted(stated)} and was announced as ${quoted(contentType)}`,
    );
  }
  const isIndex = !shape.get('manifests').missing;
  if (isIndex && !(shape.get('layers').missing && shape.get('config').missing)) {
    throw cannotTell('manifest.ambiguous', `${what} has both "layers" and "manifests"`);
  }
  const mediaType = stated ?? contentType ?? (isIndex ? mediaTypes.index : mediaTypes.manifest);
  if (!(isIndex ? indexTypes : imageTypes).includes(mediaType)) {
    throw cannotTell(
      'manifest.media-type',
      `${what} has the media type ${quoted(mediaType)}, which names no ${isIndex ? 'index' : 'image manifest'}`,
    );
  }
  return isIndex ? readIndex(shape, mediaType, limits) : readManifest(shape, mediaType, limits);
}

function readIndex(shape: Shape, mediaType: string, limits: ManifestLimits): Index {
  const manifests = shape.get('manifests');
  return {
    kind: 'index',
    mediaType,
    ...readCommon(shape),
    // Go writes `null` for an empty list: olareg does so where an image has no referrers.
    manifests: manifests.value === null ? [] : manifests.list(limits.manifests).map(readDescriptor),
  };
}

function readManifest(shape: Shape, mediaType: string, limits: ManifestLimits): Manifest {
  return {
    kind: 'manifest',
    mediaType,
    ...readCommon(shape),
    config: readDescriptor(shape.get('config')),
    layers: shape.get('layers').list(limits.layers).map(readDescriptor),
  };
}

function readCommon(shape: Shape): Pick<Manifest, 'artifactType' | 'subject' | 'annotations'> {
  const artifactType = shape.optional('artifactType')?.string(200);
  const subject = shape.optional('subject');
  return compact({
    artifactType,
    ...(subject === undefined ? {} : { subject: readDescriptor(subject) }),
    annotations: readAnnotations(shape) ?? {},
  });
}

/** Some writers send `"annotations": null`. */
function readAnnotations(shape: Shape): Readonly<Record<string, string>> | undefined {
  const annotations = shape.get('annotations');
  return annotations.missing || annotations.value === null ? undefined : annotations.strings();
}

export function readDescriptor(shape: Shape): Descriptor {
  const annotations = readAnnotations(shape);
  const artifactType = shape.optional('artifactType')?.string(200);
  const platform = shape.optional('platform');
  return compact({
    mediaType: shape.get('mediaType').string(200),
    digest: readDigest(shape.get('digest')),
    size: shape.get('size').whole(),
    annotations,
    artifactType,
    ...(platform === undefined || platform.value === null ? {} : { platform: readPlatform(platform) }),
  });
}

function readPlatform(shape: Shape): Platform {
  const variant = shape.optional('variant')?.string(100);
  return {
    os: shape.get('os').string(100),
    architecture: shape.get('architecture').string(100),
    ...(variant === undefined || variant === '' ? {} : { variant }),
  };
}
