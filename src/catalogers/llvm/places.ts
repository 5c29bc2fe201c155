/**
 * What an LLVM is there for. Only `core`, `amd-codegen` and `nvidia-codegen` can be pinned by Triton. `cache`
 * is a prebuilt that nothing in the image is built with: no checkout, no LLVM_SYSPATH; a wheel beside it
 * brought its own. `build` lies in the build folder of a checkout whose package has its own copy.
 */
export type LlvmRole =
  | 'amd-codegen'
  | 'build'
  | 'cache'
  | 'core'
  | 'distro'
  | 'nvidia-codegen'
  | 'other'
  | 'rocm';

/** Where an LLVM lives: finds of one site and role speak about the same thing on disk. */
export interface LlvmPlace {
  readonly site: string;
  readonly role: LlvmRole;
}

const cachePattern: RegExp = /^((?:.*\/)?\.triton\/llvm\/([^/]+))\//s;
const wheelPattern: RegExp = /^((?:.*\/)?[^/]+)\/(?:_C\/|FileCheck$|backends\/|instrumentation\/|plugins\/)/s;
const core = /^((?:.*\/)?[^/]+)\/_C\/libtriton[^/]*\.so$/s;
const packagePattern: RegExp = /^((?:.*\/)?(?:site|dist)-packages\/[^/]+)\//s;
/** In `/opt`, or in the wheels of ROCm (`_rocm_sdk_core/lib/llvm`). */
const rocmPattern: RegExp =
  /^((?:.*\/)?(?:opt\/rocm[^/]*|(?:site|dist)-packages\/_rocm_sdk\w*)\/(?:lib\/)?llvm)\//s;
const prefixPattern: RegExp = /^(.*?)\/(?:bin|include|lib|lib64|libexec|share)(?:\/|$)/s;

/**
 * Whether the path of this file is one that Triton packages have; whether it is one, the library in the
 * package tells.
 */
export function isTritonFile(path: string): boolean {
  return wheelPattern.test(path);
}

/**
 * The package that a file is the core library of: `site-packages/triton` of
 * `site-packages/triton/_C/libtriton.so`, whatever it is called.
 */
export function packageOfCore(path: string): string | undefined {
  return core.exec(path)?.[1];
}

/** What the image says about places whose paths do not tell. */
export interface Hints {
  /** `LLVM_SYSPATH` of the image: the LLVM that Triton is built with there, wherever it lies. */
  readonly syspath: string | undefined;
  /** Roots of Triton checkouts: what is built below them is one Triton. */
  readonly checkouts: readonly string[];
  /** Packages with a core library of Triton. */
  readonly packages: ReadonlySet<string>;
}

/** Whether a package is Triton: by its core library, or by its name where that is not there. */
function isPackage(root: string, packages: ReadonlySet<string>): boolean {
  return packages.has(root) || /(?:^|\/)triton$/.test(root);
}

/** The place of a file that holds or describes an LLVM. */
export function placeOf(path: string, { syspath, checkouts, packages }: Hints): LlvmPlace {
  const cache = cachePattern.exec(path);
  const isSyspath = syspath !== undefined && path.startsWith(`${syspath}/`);
  if (cache?.[1] !== undefined) {
    const isUsed = isSyspath || checkouts.length > 0;
    return { site: cache[1], role: isUsed ? roleOfName(cache[2] ?? '') : 'cache' };
  }
  if (isSyspath) {
    return { site: syspath, role: 'core' };
  }
  const build = buildPlace(path, packages);
  if (build !== undefined) {
    return build;
  }
  const checkout = checkouts.find((root) => path.startsWith(`${root}/`));
  if (checkout !== undefined) {
    return placeInCheckout(path, checkout, packages);
  }
  const wheel = wheelPattern.exec(path);
  if (wheel?.[1] !== undefined && isPackage(wheel[1], packages)) {
    return { site: wheel[1], role: roleOfName(path.slice(wheel[1].length)) };
  }
  const rocm = rocmPattern.exec(path);
  if (rocm?.[1] !== undefined) {
    return { site: rocm[1], role: 'rocm' };
  }
  const wheelOfOthers = packagePattern.exec(path);
  if (wheelOfOthers?.[1] !== undefined) {
    return { site: wheelOfOthers[1], role: 'other' };
  }
  if (/^(?:usr\/(?!local\/)|lib|bin\/|sbin\/)/.test(path)) {
    return { site: 'usr', role: 'distro' };
  }
  return { site: prefixPattern.exec(path)?.[1] ?? directoryOf(path), role: 'other' };
}

/** What is built in a checkout is one Triton, wherever the library lies in it. */
function placeInCheckout(path: string, checkout: string, packages: ReadonlySet<string>): LlvmPlace {
  const installed = packagesOf(checkout, packages)[0];
  return { site: installed ?? `${checkout}/python/triton`, role: roleOfName(path.slice(checkout.length)) };
}

function packagesOf(checkout: string, packages: ReadonlySet<string>): readonly string[] {
  return [`${checkout}/python/triton`, `${checkout}/triton`].filter((root) => packages.has(root));
}

const buildFolder = /^(?:(.*)\/)?((?:python\/)?build\/[^/]+)\//s;

/**
 * A build folder of sources whose package has a library of its own: what lies there was copied from, and is
 * perhaps older.
 */
function buildPlace(path: string, packages: ReadonlySet<string>): LlvmPlace | undefined {
  const [, checkout = '', folder] = buildFolder.exec(path) ?? [];
  if (folder === undefined || packagesOf(checkout.replace(/\/python$/, ''), packages).length === 0) {
    return undefined;
  }
  return { site: `${checkout}/${folder}`, role: 'build' };
}

/**
 * The role in the name of a prebuilt (`amd-codegen-…`), a pin file (`amd-llvm-info.json`) or a library of 3.9
 * and later.
 */
export function roleOfName(name: string): LlvmRole {
  if (/(?:^|[/_])(?:lib)?(?:triton_)?amd[-_](?:codegen|llvm)/.test(name)) {
    return 'amd-codegen';
  }
  if (/(?:^|[/_])(?:lib)?(?:triton_)?nvidia[-_](?:codegen|llvm)/.test(name)) {
    return 'nvidia-codegen';
  }
  return 'core';
}

export function directoryOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}
