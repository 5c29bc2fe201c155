import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Shape } from '../../base/shape.ts';
import { hexOf, readDigest } from '../../oci/digest.ts';
import { manifestLimits } from '../../oci/manifest.ts';
import type { Host } from '../../system/host.ts';
import { withScratchFolder } from '../../system/scratch.ts';
import { runCleanly, withoutNetwork } from './clean-run.ts';
import { buildByDocker } from './docker.ts';
import { type BuiltByEngine, type EngineBuild, readJsonFile, toBuilt } from './engine.ts';
import { type Stage, stageTag } from './stage.ts';

/**
 * Builds a Containerfile on a stage: without network, without a cache, each instruction a layer. What comes
 * out lies in files, and the engine keeps nothing.
 *
 * @throws TcfError `build.failed`, `build.engine` (exit 2).
 */
export async function buildContainerfile(host: Host, request: EngineBuild): Promise<BuiltByEngine> {
  return request.engine.name === 'docker'
    ? await buildByDocker(host, request)
    : await buildInStore(host, request);
}

/** buildah and podman: in a store of its own, which is gone afterwards. */
async function buildInStore(host: Host, request: EngineBuild): Promise<BuiltByEngine> {
  // podman takes no path of more than 50 letters for what is there while it runs.
  return await withScratchFolder((run) => buildWith(host, request, run));
}

async function buildWith(
  host: Host,
  { base, context, engine, epoch, work }: EngineBuild,
  runroot: string,
): Promise<BuiltByEngine> {
  // A store of its own: nothing that was built before is found in it, and nobody prunes it while we build.
  const store = join(work, 'storage');
  const globals = ['--root', store, '--runroot', runroot];
  const isolated = withoutNetwork(host, engine.path);
  const [file = engine.path, ...before] = [...(isolated ?? []), engine.path];
  const run = (...args: readonly string[]): Promise<string> =>
    runCleanly(host, epoch, file, [...before, ...globals, ...args]);
  const name = 'localhost/tcf-build';
  const baseName = `${name}-base`;
  try {
    const id = (await run('pull', '--quiet', `oci:${base.layout}:${stageTag}`)).trim();
    await run('tag', id, baseName);
    await run(
      ...[
        'build',
        '--quiet',
        '--no-cache',
        '--layers',
        '--pull=never',
        '--format=docker',
        '--isolation=chroot',
      ],
      ...[`--network=${isolated === undefined ? 'none' : 'host'}`, `--timestamp=${epoch}`],
      ...[`--build-arg=BASE=${baseName}`, '--tag', name, '--file', join(context, 'Containerfile'), context],
    );
    const out = join(work, 'engine');
    // podman packs nothing into a folder unless it is told to.
    const plain = engine.name === 'buildah' ? ['--disable-compression'] : [];
    await run('push', '--quiet', ...plain, '--format=v2s2', name, `dir:${out}`);
    return await readDir(out, base);
  } finally {
    await removeStore(host, engine.path, store);
  }
}

/** What an engine without root unpacked belongs to users that only its namespace knows. */
async function removeStore(host: Host, engine: string, store: string): Promise<void> {
  if (host.uid === 0) {
    await rm(store, { recursive: true, force: true });
  } else {
    await host.run(engine, ['unshare', 'rm', '-rf', store]);
  }
}

/** What `dir:` of containers-transports(5) holds: a manifest, and each blob under its hash. */
async function readDir(folder: string, base: Stage): Promise<BuiltByEngine> {
  const manifest = new Shape(await readJsonFile(join(folder, 'manifest.json')), 'the manifest of the engine');
  const config = new Shape(
    await readJsonFile(join(folder, hexOf(readDigest(manifest.get('config').get('digest'))))),
    'the configuration of the engine',
  );
  const layers = manifest.get('layers').list(manifestLimits.layers);
  const files = layers.map((layer) => join(folder, hexOf(readDigest(layer.get('digest')))));
  return toBuilt(files, config, base);
}
