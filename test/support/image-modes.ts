import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { makeBom } from '../../src/app/scan.ts';
import type { OpenImage } from '../../src/image/contract.ts';
import { formatLayerRecord, parseLayerRecord } from '../../src/image/layer-record.ts';
import type { LayerScan } from '../../src/image/scan-layer.ts';
import type { LayerCache } from '../../src/image/scan-layers.ts';
import { openNamedImage, parseImageName } from '../../src/image/source.ts';
import { openRegistry } from '../../src/registry/client.ts';
import { buildImage, dockerArchive, ociArchive, writeFiles, writeOciLayout } from './image.ts';
import { startRegistry } from './registry.ts';
import { writeStore } from './store.ts';
import { archive } from './tar.ts';

/** Reads an image in one way: the SBOM but for what says how it was read, or the code of the refusal. */
export type ImageMode = () => Promise<string>;

export interface ImageModes extends AsyncDisposable {
  /** The one that the others are compared with: an OCI layout of gzip, one layer at a time. */
  readonly expected: ImageMode;
  /** All others, by name. */
  readonly others: readonly (readonly [string, ImageMode])[];
}

type Options = NonNullable<Parameters<typeof makeBom>[2]>;

const linux = { os: 'linux', architecture: 'amd64' };

/**
 * Puts one image wherever tcf reads images from, and reads it from there in every way: all sources, threads,
 * cache, layers of a store in place and checked.
 *
 * @param stack the members of the archive of each layer, lowest first.
 * @param work an empty folder.
 */
export async function imageModes(
  stack: readonly (readonly Buffer[])[],
  work: string,
  startThread: () => Worker,
): Promise<ImageModes> {
  const layers = stack.map((members) => archive(...members));
  const image = buildImage({ layers });
  const saved = dockerArchive(image, layers, ['quay.io/team/a:1']);
  writeOciLayout(join(work, 'gzip'), { image });
  writeOciLayout(join(work, 'zstd'), { image: buildImage({ layers, compression: 'zstd' }) });
  writeOciLayout(join(work, 'none'), { image: buildImage({ layers, compression: 'none' }) });
  mkdirSync(join(work, 'dir'));
  const byHex = [...image.blobs].map(([digest, bytes]) => [digest.slice(7), bytes] as const);
  writeFiles(
    join(work, 'dir'),
    new Map([
      ['version', Buffer.from('Directory Transport Version: 1.1\n')],
      ['manifest.json', image.manifest],
      ...byHex,
    ]),
  );
  writeFileSync(join(work, 'oci.tar'), ociArchive({ image }));
  writeFileSync(join(work, 'a.tar'), saved);
  writeFileSync(join(work, 'a.tgz'), gzipSync(saved));
  writeFileSync(join(work, 'a.tzst'), zstdCompressSync(saved));
  mkdirSync(join(work, 'store'));
  writeStore(join(work, 'store'), image, stack);

  const registry = await startRegistry();
  for (const [digest, bytes] of image.blobs) {
    registry.blobs.set(digest, bytes);
  }
  const manifest = { mediaType: image.descriptor.mediaType, bytes: image.manifest };
  registry.manifests.set('a:1', manifest).set(`a@${image.manifestDigest}`, manifest);

  const inspected = JSON.stringify({ Id: image.configDigest, RepoTags: ['quay.io/team/a:1'] });
  const daemon = createServer((request, response) => {
    response.end(request.url?.endsWith('/json') ? inspected : Buffer.from(saved));
  });
  const socket = join(work, 'docker.sock');
  await new Promise<void>((resolve) => daemon.listen(socket, resolve));

  const read =
    (name: string, options: Options = {}, verifyLayers = false): ImageMode =>
    async () => {
      try {
        await using opened = await openNamedImage(parseImageName(name), linux, {
          cwd: work,
          env: { DOCKER_HOST: `unix://${socket}` },
          home: work,
          uid: 1000,
          registry: () => openRegistry({ userAgent: 'tcf-test', allowHttp: true }),
          verifyLayers,
        });
        return await said(opened, { jobs: 1, ...options });
      } catch (error) {
        const { code } = error as { readonly code?: string };
        if (code === undefined) {
          throw error;
        }
        return code;
      }
    };
  const store = `containers-storage:[overlay@${work}/store+/run]a`;
  const cache = memoryCache();
  const sharedThreads = (jobs: number): Options => ({ jobs, threadsFrom: 0, startThread });
  return {
    expected: read('oci:gzip'),
    others: [
      ['zstd', read('oci:zstd')],
      ['not compressed', read('oci:none')],
      ['dir', read('dir:dir')],
      ['oci-archive', read('oci-archive:oci.tar')],
      ['docker-archive', read('docker-archive:a.tar')],
      ['compressed archive', read('docker-archive:a.tgz')],
      ['archive in zstd, threads', read('docker-archive:a.tzst', sharedThreads(3))],
      ['docker-daemon', read('docker-daemon:quay.io/team/a:1')],
      ['registry', read(`docker://${registry.host}/a:1`)],
      ['registry, threads', read(`docker://${registry.host}/a:1`, sharedThreads(4))],
      ['store in place', read(store)],
      ['store in place, threads', read(store, sharedThreads(2))],
      ['store, checked', read(store, {}, true)],
      ['store, checked, threads', read(store, sharedThreads(2), true)],
      ['two layers at a time', read('oci:gzip', sharedThreads(2))],
      ['eight layers at a time', read('oci:zstd', sharedThreads(8))],
      ['cold cache', read('oci:gzip', { cache })],
      [
        'warm cache',
        async () => {
          await read('oci:gzip', { cache })();
          return await read('oci:zstd', { cache })();
        },
      ],
    ],
    async [Symbol.asyncDispose]() {
      daemon.closeAllConnections();
      await new Promise((resolve) => daemon.close(resolve));
      await registry.close();
    },
  };
}

/** The whole BOM but for what says how the image was read. */
async function said(image: OpenImage, options: Options): Promise<string> {
  const { properties, subject, ...bom } = await makeBom(image, undefined, options);
  const { repository: _repository, manifestDigest: _manifest, name: _name, ...about } = subject;
  return JSON.stringify({
    ...bom,
    about,
    properties: properties.filter(({ name }) => name !== 'tcf:layer-digests'),
  });
}

/** A cache in memory, which keeps records as the one on disk does. */
function memoryCache(): LayerCache {
  const records = new Map<string, Uint8Array>();
  return {
    has: async (diffId) => records.has(diffId),
    load: async (diffId): Promise<LayerScan | undefined> => {
      const record = records.get(diffId);
      return record && parseLayerRecord(record);
    },
    keep: async (diffId, scan) => {
      records.set(diffId, formatLayerRecord(scan));
    },
  };
}
