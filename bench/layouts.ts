import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface ManifestFile {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** The image manifest of a layout with one image. */
export function manifestOf(layout: string): ManifestFile {
  const index: { readonly manifests: readonly Descriptor[] } = JSON.parse(
    readFileSync(join(layout, 'index.json'), 'utf8'),
  );
  return JSON.parse(readFileSync(blobOf(layout, index.manifests[0]?.digest ?? ''), 'utf8'));
}

/**
 * An OCI layout whose image has the layers of another one so many times on top of one another: 20 GB of image
 * M take no more disk than image M, since its blobs are linked.
 */
export function repeatedLayout(from: string, to: string, times: number): void {
  const manifest = manifestOf(from);
  const config: { readonly rootfs: { readonly diff_ids: readonly string[] } } = JSON.parse(
    readFileSync(blobOf(from, manifest.config.digest), 'utf8'),
  );
  const repeat = <T>(list: readonly T[]): readonly T[] => Array.from({ length: times }, () => list).flat();
  mkdirSync(join(to, 'blobs/sha256'), { recursive: true });
  for (const { digest } of manifest.layers) {
    linkSync(blobOf(from, digest), blobOf(to, digest));
  }
  const write = (mediaType: string, content: object): Descriptor => {
    const bytes = Buffer.from(JSON.stringify(content));
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    writeFileSync(blobOf(to, digest), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const written = write(manifest.config.mediaType, {
    ...config,
    history: [],
    rootfs: { ...config.rootfs, diff_ids: repeat(config.rootfs.diff_ids) },
  });
  const top = write('application/vnd.oci.image.manifest.v1+json', {
    ...manifest,
    config: written,
    layers: repeat(manifest.layers),
  });
  writeFileSync(join(to, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }));
  writeFileSync(join(to, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

/**
 * How much longer the layers take than all cores together would need, from 1: the largest begin first, each on
 * the core that is free first.
 */
export function scheduleOf(sizes: readonly number[], cores: number): number {
  const ends = Array.from({ length: cores }, () => 0);
  for (const size of sizes.toSorted((a, b) => b - a)) {
    const first = ends.indexOf(Math.min(...ends));
    ends[first] = (ends[first] ?? 0) + size;
  }
  return Math.max(...ends);
}

function blobOf(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'));
}
