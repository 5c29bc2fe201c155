import { join } from 'node:path';
import { type Bytes, collect, encodeUtf8 } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { jsonLimits } from '../../base/json.ts';
import { compressed, layerCompressions } from '../../image/compress.ts';
import { fileBytes } from '../../image/files.ts';
import { openLayoutWriter } from '../../image/layout-writer.ts';
import type { NormalLayer } from '../../image/normal-layer.ts';
import { type Digest, Digester, digestOf } from '../../oci/digest.ts';
import { type Descriptor, parseManifest } from '../../oci/manifest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { replaceFile } from '../../system/atomic.ts';
import type { Lock } from '../lock/lock.ts';

/** A packed layer in a file. */
export interface StageLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly file: string;
}

/** One line of an image's history. */
export interface StageHistory {
  readonly createdBy: string;
  readonly isEmpty: boolean;
}

/** An image as it grows: what it is made of so far, and its layout on disk. */
export interface Stage {
  /** OCI image layout; the image in it is called `stage`. */
  readonly layout: string;
  readonly digest: Digest;
  readonly layers: readonly StageLayer[];
  readonly history: readonly StageHistory[];
  /** The member `config` of the image's configuration: environment, user, command. */
  readonly runtime: Readonly<Record<string, unknown>>;
}

export const stageTag = 'stage';

/** Packs a layer into a file. */
export async function packLayer(
  file: string,
  layer: NormalLayer,
  compression: Lock['compression'],
): Promise<StageLayer> {
  const diff = new Digester();
  const packed = new Digester();
  let size = 0;
  const tar = async function* (): Bytes {
    for await (const chunk of layer.tar()) {
      diff.update(chunk);
      yield chunk;
    }
  };
  const bytes = async function* (): Bytes {
    for await (const chunk of compressed(tar(), compression)) {
      packed.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  await replaceFile(file, bytes());
  const descriptor = { mediaType: layerCompressions[compression].mediaType, digest: packed.digest(), size };
  return { descriptor, diffId: diff.digest(), file };
}

export interface StageParts extends Pick<Stage, 'history' | 'layers' | 'runtime'> {
  readonly lock: Lock;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The configuration of an image that lies in its layout. */
export async function stageConfig({ digest, layout }: Stage): Promise<{ bytes: Uint8Array; digest: Digest }> {
  const blob = (name: Digest): string => join(layout, 'blobs', name.replace(':', '/'));
  const limit = jsonLimits.manifest.maxBytes;
  const manifest = await collect(fileBytes(blob(digest)), limit, 'the manifest of the base');
  const parsed = parseManifest(manifest, mediaTypes.manifest, 'the manifest of the base');
  if (parsed.kind !== 'manifest') {
    throw cannotTell('build.engine', 'the base is an index and not an image');
  }
  const { config } = parsed;
  const bytes = await collect(fileBytes(blob(config.digest)), limit, 'the configuration of the base');
  return { bytes, digest: config.digest };
}

/** Writes the layout of an image; the same parts give the same bytes. */
export async function writeStage(layout: string, parts: StageParts): Promise<Stage> {
  const { annotations, history, layers, lock, runtime } = parts;
  const [os = '', architecture = ''] = lock.platform.split('/');
  const created = new Date(lock.epoch).toISOString().replace('.000Z', 'Z');
  const config = encodeUtf8(
    JSON.stringify({
      created,
      architecture,
      os,
      config: runtime,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: history.map(({ createdBy, isEmpty }) => ({
        created,
        created_by: createdBy,
        ...(isEmpty ? { empty_layer: true } : {}),
      })),
    }),
  );
  const configDescriptor = { mediaType: mediaTypes.config, digest: digestOf(config), size: config.length };
  const bytes = encodeUtf8(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: configDescriptor,
      layers: layers.map(({ descriptor }) => descriptor),
      annotations,
    }),
  );
  const descriptor = { mediaType: mediaTypes.manifest, digest: digestOf(bytes), size: bytes.length };
  const writer = await openLayoutWriter(layout, stageTag);
  for (const layer of layers) {
    await writer.putBlob(layer.descriptor, () => fileBytes(layer.file));
  }
  await writer.putBlob(configDescriptor, async function* () {
    yield config;
  });
  const manifest = {
    bytes,
    descriptor,
    document: parseManifest(bytes, mediaTypes.manifest, 'the new manifest'),
  };
  await writer.putManifest(manifest);
  await writer.publish(manifest);
  return { layout, digest: descriptor.digest, layers, history, runtime };
}
