import { isAbsolute, join } from 'node:path';
import { cannotTell } from '../base/error.ts';
import { type JsonLimits, jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';

/**
 * How a runtime reaches this tcf: the program with its own arguments, the flags for the hook, and the
 * environment it needs.
 */
export interface HookCall {
  readonly program: readonly string[];
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Container state as runtimes give it to hooks has some kilobytes; annotations of an image are in it. */
export const stateLimit: number = 4 * 1024 * 1024;
/** The config.json of a container with thousands of mounts has some megabytes. */
export const configLimits: JsonLimits = jsonLimits.small;
/** Seconds. A registry that is slow makes a start slow; one that hangs ends it. */
const timeout = 120;
/** Seconds for an answer with a reason: a hook that is ended for its timeout says nothing. */
export const hookDeadline = 110;

/**
 * A file for `hooks.d` of podman and CRI-O (oci-hooks(5), version 1.0.0). It applies to every container:
 * selecting by annotation would let the image choose. The stage is `createRuntime`: before the first
 * process of the image, and its messages reach the user.
 *
 * podman drops a hook silently if its `path` is not there. So the path is the shell, which is always there,
 * and fails where tcf is not.
 */
export function ociHookFile({ env, flags, program }: HookCall): string {
  const hook = {
    version: '1.0.0',
    hook: {
      path: '/bin/sh',
      args: ['sh', '-c', 'exec "$0" "$@"', ...program, 'hook', 'enter', 'podman', ...flags],
      env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      timeout,
    },
    when: { always: true },
    stages: ['createRuntime'],
  };
  return `${JSON.stringify(hook, undefined, 2)}\n`;
}

/** What a runtime tells its hooks (OCI runtime specification, "State"). */
export interface ContainerState {
  /**
   * A container of podman or CRI-O, or the step of a build: buildah gives those names that no container has.
   */
  readonly kind: 'build' | 'container';
  readonly id: string;
  /** Absolute path of the folder with config.json. */
  readonly bundle: string;
}

/** @throws TcfError `json.malformed`, `document.malformed` (exit 2). */
export function parseContainerState(bytes: Uint8Array): ContainerState {
  const what = 'the state of the container';
  const shape = new Shape(parseJson(bytes, what, { ...jsonLimits.small, maxBytes: stateLimit }), what);
  const id = shape.get('id').string(200);
  const isBuild = /^buildah-buildah\d+$/.test(id);
  if (!isBuild && !/^[0-9a-f]{64}$/.test(id)) {
    throw cannotTell('container.id', `the container ${quoted(id)} was not made by podman, CRI-O or buildah`);
  }
  const bundle = shape.get('bundle').string(4096);
  if (!isAbsolute(bundle)) {
    throw shape.get('bundle').wrong('is not an absolute path');
  }
  return { kind: isBuild ? 'build' : 'container', id, bundle };
}

/**
 * `root.path` of a runtime configuration, in full.
 *
 * @throws TcfError `json.malformed`, `document.malformed` (exit 2).
 */
export function parseRootPath(config: Uint8Array, bundle: string): string {
  const what = 'the config.json of the container';
  const path = new Shape(parseJson(config, what, configLimits), what).get('root').get('path').string(4096);
  return isAbsolute(path) ? path : join(bundle, path);
}

/** A layer of the store, by its id or by overlay's short name, in a path or among others in `lowerdir`. */
const storedLayer = /\/(?:overlay\/(?:[0-9a-f]{64}|l)|vfs\/dir\/[0-9a-f]{64})(?:[/:]|$)/;

/**
 * Refuses images and their layers as mounts: `podman run --mount type=image` and image volumes of Kubernetes
 * put content beside the verified one that nothing has verified.
 *
 * @param realPath a path without links: a bind of a link to an image is a bind of the image.
 * @throws TcfError `container.mount` (exit 2); `json.malformed`, `document.malformed` (exit 2).
 */
export function checkMounts(config: Uint8Array, realPath: (path: string) => string = (path) => path): void {
  const what = 'the config.json of the container';
  const mounts = new Shape(parseJson(config, what, configLimits), what).optional('mounts');
  if (mounts === undefined || mounts.value === null) {
    return;
  }
  for (const mount of mounts.list(100_000)) {
    const options = mount.optional('options');
    const places = [
      mount.optional('source')?.string() ?? '',
      ...(options === undefined || options.value === null
        ? []
        : options.list(10_000).map((option) => option.string())),
    ];
    const [source = ''] = places;
    const real = isAbsolute(source) ? [realPath(source)] : [];
    if (![...places, ...real].some((place) => storedLayer.test(place))) {
      continue;
    }
    throw cannotTell(
      'container.mount',
      `an image is mounted at ${quoted(mount.get('destination').string())}, and nothing has verified it`,
      { hint: 'copy what you need of it into the image that is signed' },
    );
  }
}
