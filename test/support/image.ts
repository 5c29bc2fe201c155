import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { bytesOf, encodeUtf8 } from '../../src/base/bytes.ts';
import type { OpenImage } from '../../src/image/contract.ts';
import { toLayers } from '../../src/image/layers.ts';
import { parseImageConfig } from '../../src/oci/config.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { archive, file } from './tar.ts';

/**
 * Small images for tests. `buildImage` makes the blobs; what follows puts them into an OCI layout, a docker
 * archive, or memory. To push one: each of `blobs`, then `manifest`.
 *
 *     const image = buildImage({ layers: [archive(file('etc/os-release', 'ID=debian\n'))] });
 *     writeOciLayout(folder, image);
 */
export interface ImageOptions {
  /** Uncompressed tar archives, lowest first (`archive` of test/support/tar.ts). */
  readonly layers: readonly Uint8Array[];
  readonly compression?: 'gzip' | 'none' | 'zstd';
  readonly architecture?: string;
  readonly created?: string;
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** Of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** One step for each layer; default `layer N`. */
  readonly steps?: readonly string[];
  /** Instead of the right ones: what a liar would write. */
  readonly diffIds?: readonly string[];
}

export interface BuiltImage {
  readonly config: Uint8Array;
  readonly manifest: Uint8Array;
  readonly configDigest: Digest;
  readonly manifestDigest: Digest;
  readonly descriptor: Descriptor;
  /** Layers as they are stored, and the configuration, by digest. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  readonly layers: readonly Descriptor[];
}

export function buildImage(options: ImageOptions): BuiltImage {
  const { compression = 'gzip' } = options;
  const blobs = new Map<Digest, Uint8Array>();
  const store = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const pack = { gzip: gzipSync, none: (bytes: Uint8Array) => bytes, zstd: zstdCompressSync }[compression];
  const mediaType = { gzip: mediaTypes.layerGzip, none: mediaTypes.layer, zstd: mediaTypes.layerZstd }[
    compression
  ];
  const layers = options.layers.map((layer) => store(mediaType, pack(layer)));
  const config = json({
    created: options.created ?? '2026-11-01T00:00:00Z',
    architecture: options.architecture ?? 'amd64',
    os: 'linux',
    config: { Env: options.env ?? [], Labels: options.labels ?? {} },
    rootfs: { type: 'layers', diff_ids: options.diffIds ?? options.layers.map((layer) => digestOf(layer)) },
    history: options.layers.map((_, index) => ({ created_by: options.steps?.[index] ?? `layer ${index}` })),
  });
  const configDescriptor = store(mediaTypes.config, config);
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: configDescriptor,
    layers,
    ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
  });
  const manifestDigest = digestOf(manifest);
  const descriptor = { mediaType: mediaTypes.manifest, digest: manifestDigest, size: manifest.length };
  return {
    config,
    manifest,
    configDigest: configDescriptor.digest,
    manifestDigest,
    descriptor,
    blobs,
    layers,
  };
}

export function json(value: unknown): Uint8Array {
  return encodeUtf8(JSON.stringify(value));
}

export interface LayoutEntry {
  readonly image: BuiltImage;
  readonly tag?: string;
  readonly platform?: { readonly os: string; readonly architecture: string };
  /** Of its descriptor, beside the tag. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The files of an OCI layout, by path. */
export function layoutFiles(...entries: readonly LayoutEntry[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([['oci-layout', json({ imageLayoutVersion: '1.0.0' })]]);
  const manifests = entries.map(({ annotations, image, tag, platform }) => ({
    ...image.descriptor,
    annotations: {
      ...annotations,
      ...(tag === undefined ? {} : { 'org.opencontainers.image.ref.name': tag }),
    },
    ...(platform === undefined ? {} : { platform }),
  }));
  files.set('index.json', json({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  for (const { image } of entries) {
    for (const [digest, bytes] of [...image.blobs, [image.manifestDigest, image.manifest] as const]) {
      files.set(`blobs/${digest.replace(':', '/')}`, bytes);
    }
  }
  return files;
}

/** Writes files of any kind below a directory. */
export function writeFiles(directory: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, bytes] of files) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

export function writeOciLayout(directory: string, ...entries: readonly LayoutEntry[]): void {
  writeFiles(directory, layoutFiles(...entries));
}

export function ociArchive(...entries: readonly LayoutEntry[]): Uint8Array {
  return archive(...[...layoutFiles(...entries)].map(([path, bytes]) => file(path, bytes)));
}

/** As skopeo writes it: layers lie there uncompressed, whatever they were. */
export function dockerArchive(
  image: BuiltImage,
  layers: readonly Uint8Array[],
  names: readonly string[],
): Uint8Array {
  const config = `${image.configDigest.slice(7)}.json`;
  const paths = layers.map((layer) => `${digestOf(layer).slice(7)}.tar`);
  return archive(
    ...layers
      .map((layer, index) => file(paths[index] ?? '', layer))
      .filter((_, at) => paths.indexOf(paths[at] ?? '') === at),
    file(config, image.config),
    file('manifest.json', json([{ Config: config, RepoTags: names, Layers: paths }])),
  );
}

/** Opened without any store. */
export function memoryImage(options: ImageOptions): OpenImage {
  const image = buildImage({ ...options, compression: 'none' });
  const config = parseImageConfig(image.config, 'config');
  const stored = options.layers.map((layer) => ({
    mediaType: '',
    size: layer.length,
    open: () => bytesOf(layer),
  }));
  return {
    manifestDigest: image.manifestDigest,
    configDigest: image.configDigest,
    config,
    platform: { os: config.os, architecture: config.architecture },
    layers: toLayers(config, stored, 'the test image'),
    [Symbol.asyncDispose]: async () => {},
  };
}
