import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { Shape } from '../../base/shape.ts';
import { decompressed } from '../../image/decompress.ts';
import { fileBytes } from '../../image/files.ts';
import { hexOf } from '../../oci/digest.ts';
import { manifestLimits } from '../../oci/manifest.ts';
import { replaceFile } from '../../system/atomic.ts';
import { makeFolder } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { runCleanly } from './clean-run.ts';
import { type BuiltByEngine, type EngineBuild, readJsonFile, toBuilt } from './engine.ts';
import { type Stage, stageConfig } from './stage.ts';

/** Where docker's own clients look for the daemon; nothing of it ends in an image. */
const settings = ['DOCKER_CONFIG', 'DOCKER_CONTEXT', 'DOCKER_HOST', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'];

/**
 * Builds a Containerfile by the BuildKit of a docker daemon: without network, without its cache, on a base
 * that it is given. docker has one store for everybody, so both images get names that nobody else uses, and
 * are removed afterwards.
 *
 * @throws TcfError `build.failed`, `build.engine` (exit 2).
 */
export async function buildByDocker(
  host: Host,
  { base, context, engine, epoch, work }: EngineBuild,
): Promise<BuiltByEngine> {
  const docker = (...args: readonly string[]): Promise<string> =>
    runCleanly(host, epoch, engine.path, args, { DOCKER_BUILDKIT: '1', ...settingsOf(host) });
  const name = `localhost/tcf-build-${crypto.randomUUID()}`;
  const baseName = `${name}-base:latest`;
  const load = join(work, 'load');
  const saved = join(work, 'saved');
  try {
    await writeArchive(host, base, load, baseName, epoch);
    await docker('load', '--quiet', '--input', `${load}.tar`);
    await rm(load, { recursive: true });
    await docker(
      ...['build', '--quiet', '--no-cache', '--pull=false', '--network=none'],
      ...[`--build-arg=BASE=${baseName}`, `--build-arg=SOURCE_DATE_EPOCH=${epoch}`],
      ...['--tag', name, '--file', join(context, 'Containerfile'), context],
    );
    await docker('save', '--output', `${saved}.tar`, name);
    await makeFolder(host, saved);
    await runCleanly(host, epoch, 'tar', ['--extract', `--file=${saved}.tar`, `--directory=${saved}`]);
    await rm(`${saved}.tar`);
    return await readSaved(saved, base);
  } finally {
    for (const each of [name, baseName]) {
      await host.run(engine.path, ['image', 'rm', '--force', each]);
    }
  }
}

function settingsOf(host: Host): Readonly<Record<string, string>> {
  const known = settings.flatMap((key) => {
    const value = host.env[key];
    return value === undefined || value === '' ? [] : [[key, value] as const];
  });
  // buildx would make an index of one image and an attestation, which no store of docker's own takes.
  return Object.fromEntries([...known, ['BUILDX_NO_DEFAULT_ATTESTATIONS', '1']]);
}

/** What `docker load` takes, of every version: plain layers, a configuration, and a manifest.json that names them. */
async function writeArchive(
  host: Host,
  base: Stage,
  folder: string,
  name: string,
  epoch: number,
): Promise<void> {
  await makeFolder(host, folder);
  const layers: string[] = [];
  for (const { descriptor, diffId, file } of base.layers) {
    const layer = `${hexOf(diffId)}.tar`;
    await replaceFile(
      join(folder, layer),
      decompressed(fileBytes(file), descriptor.mediaType, `the layer ${descriptor.digest} of the base`),
    );
    layers.push(layer);
  }
  const { bytes, digest } = await stageConfig(base);
  const config = `${hexOf(digest)}.json`;
  await replaceFile(join(folder, config), bytes);
  const manifest = [{ Config: config, RepoTags: [name], Layers: layers }];
  await replaceFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const files = readdirSync(folder);
  await runCleanly(host, epoch, 'tar', [
    ...['--create', `--file=${folder}.tar`, `--directory=${folder}`, ...files],
  ]);
}

/** What `docker save` writes, of every version: manifest.json names configuration and layers. */
async function readSaved(folder: string, base: Stage): Promise<BuiltByEngine> {
  const images = new Shape(await readJsonFile(join(folder, 'manifest.json')), 'manifest.json').list(10);
  const [image] = images;
  if (image === undefined || images.length > 1) {
    throw cannotTell('build.engine', `docker saved ${images.length} images in place of one`);
  }
  const config = new Shape(
    await readJsonFile(join(folder, placeIn(image.get('Config')))),
    'the configuration of docker',
  );
  const files: string[] = [];
  for (const layer of image.get('Layers').list(manifestLimits.layers)) {
    const file = join(folder, placeIn(layer));
    // The store of containerd saves layers as they are packed.
    await replaceFile(`${file}.plain`, decompressed(fileBytes(file), '', 'a layer of docker'));
    files.push(`${file}.plain`);
  }
  return toBuilt(files, config, base);
}

/** A path inside the archive: of our own image, but written by a program that others configure. */
function placeIn(shape: Shape): string {
  const path = shape.string(4096);
  if (path.startsWith('/') || path.split('/').includes('..')) {
    throw shape.wrong('leads out of the archive');
  }
  return path;
}
