import { collect } from '../../base/bytes.ts';
import { cannotTell } from '../../base/error.ts';
import { jsonLimits, parseJson } from '../../base/json.ts';
import type { Shape } from '../../base/shape.ts';
import { fileBytes } from '../../image/files.ts';
import { readDigest } from '../../oci/digest.ts';
import { manifestLimits } from '../../oci/manifest.ts';
import type { Host } from '../../system/host.ts';
import type { Stage } from './stage.ts';

export const buildEngines = ['buildah', 'podman', 'docker'] as const;
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
    hint: 'install buildah, which needs no daemon',
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
 * What an engine built, without what it was built on.
 *
 * @param files of all layers, lowest first.
 * @throws TcfError `build.engine` (exit 2): it was built on something else.
 */
export function toBuilt(files: readonly string[], config: Shape, base: Stage): BuiltByEngine {
  const diffIds = config.get('rootfs').get('diff_ids').list(manifestLimits.layers).map(readDigest);
  const isOnBase = base.layers.every(({ diffId }, index) => diffIds[index] === diffId);
  if (!isOnBase || files.length !== diffIds.length) {
    throw cannotTell('build.engine', 'the engine built on other layers than those of the base', {
      hint: `the Containerfile begins with ARG BASE and FROM \${BASE}, and has one stage`,
    });
  }
  const history = (config.optional('history')?.list(10 * manifestLimits.layers) ?? []).map((line) => ({
    createdBy: instructionOf(line.optional('created_by')?.string(1_000_000) ?? ''),
    isEmpty: line.optional('empty_layer')?.boolean() ?? false,
  }));
  return {
    layers: files.slice(base.layers.length),
    history: history.slice(base.history.length),
    runtime: config.get('config').record(),
  };
}

/** The instruction without the arguments and the shell that an engine puts in front of it. */
function instructionOf(createdBy: string): string {
  return createdBy
    .replace(/^(?:RUN )?\|\d+ (?:[A-Za-z_]\w*=\S* )*/, '')
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
    .replace(/^(?:RUN )?\/bin\/sh -c /, 'RUN ')
    .replace(/ # buildkit$/, '')
    .replace(/\s+/g, ' ')
    .trim();
}

export async function readJsonFile(path: string): Promise<unknown> {
  const bytes = await collect(fileBytes(path), jsonLimits.manifest.maxBytes, path);
  return parseJson(bytes, path, jsonLimits.manifest);
}
