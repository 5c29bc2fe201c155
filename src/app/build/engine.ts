import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { collect } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import { Shape } from '../../base/shape.ts';
import { fileBytes } from '../../image/files.ts';
import { type Digest, hexOf, readDigest } from '../../oci/digest.ts';
import { instructionOf } from '../../oci/history.ts';
import { manifestLimits } from '../../oci/manifest.ts';
import type { Host } from '../../system/host.ts';
import { runCleanly, withoutNetwork } from './clean-run.ts';
import { type Stage, stageTag } from './stage.ts';

export const buildEngines = ['buildah', 'podman'] as const;
export type BuildEngine = (typeof buildEngines)[number];

/** An image as an engine built it, its layers unpacked in files. */
export interface BuiltByEngine {
  /** Files of the layers, lowest first. */
  readonly layers: readonly string[];
  readonly history: readonly { readonly createdBy: string; readonly isEmpty: boolean }[];
  /** The member `config`. */
  readonly runtime: Readonly<Record<string, unknown>>;
}

/** @throws TcfError `build.tool` (exit 2). */
export function findBuildEngine(
  host: Host,
  wanted?: BuildEngine,
): { readonly name: BuildEngine; readonly path: string } {
  for (const name of wanted === undefined ? buildEngines : [wanted]) {
    const path = host.find(name);
    if (path !== undefined) {
      return { name, path };
    }
  }
  throw cannotTell('build.tool', `found no ${wanted ?? buildEngines.join(' or ')} on PATH`, {
    hint: 'install buildah or podman; docker needs a daemon that runs, which a build here does without',
  });
}

export interface EngineBuild {
  readonly engine: ReturnType<typeof findBuildEngine>;
  /** What the Containerfile is built on, its argument `BASE`. */
  readonly base: Stage;
  /** Folder with the Containerfile and `inputs`. */
  readonly context: string;
  /** Empty folder for what comes out. */
  readonly work: string;
  /** Seconds since 1970. */
  readonly epoch: number;
}

/**
 * Builds a Containerfile on a stage: without network, without a cache, each instruction a layer. What comes
 * out lies in files, and the engine keeps nothing.
 *
 * @throws TcfError `build.failed`, `build.engine` (exit 2).
 */
export async function buildContainerfile(
  host: Host,
  { base, context, engine, epoch, work }: EngineBuild,
): Promise<BuiltByEngine> {
  // A store of its own: nothing that was built before is found in it, and nobody prunes it while we build.
  const store = join(work, 'storage');
  const globals = ['--root', store, '--runroot', join(work, 'run')];
  const isolated = withoutNetwork(host);
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
    await run('push', '--quiet', '--disable-compression', '--format=v2s2', name, `dir:${out}`);
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
  const diffIds = config.get('rootfs').get('diff_ids').list(manifestLimits.layers).map(readDigest);
  const isOnBase = base.layers.every(({ diffId }, index) => diffIds[index] === diffId);
  if (!isOnBase || layers.length !== diffIds.length) {
    throw cannotTell('build.engine', 'the engine built on other layers than those of the base', {
      hint: `the Containerfile begins with ARG BASE and FROM \${BASE}, and has one stage`,
    });
  }
  const own = layers
    .slice(base.layers.length)
    .map((layer) => layerFile(folder, readDigest(layer.get('digest'))));
  const history = (config.optional('history')?.list(10 * manifestLimits.layers) ?? []).map((line) => ({
    createdBy: instructionOf(line.optional('created_by')?.string(1_000_000) ?? ''),
    isEmpty: line.optional('empty_layer')?.boolean() ?? false,
  }));
  return { layers: own, history: history.slice(base.history.length), runtime: config.get('config').record() };
}

function layerFile(folder: string, digest: Digest): string {
  return join(folder, hexOf(digest));
}

async function readJsonFile(path: string): Promise<unknown> {
  const bytes = await collect(fileBytes(path), jsonLimits.manifest.maxBytes, path);
  return parseJson(bytes, path, jsonLimits.manifest);
}
