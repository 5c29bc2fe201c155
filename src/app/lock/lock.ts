/**
 * Every input of an image, as `lock.yaml` in the folder of the image says it. `parseLock` has looked at all
 * of it.
 */
export interface Lock {
  readonly version: 1;
  /** Name of the image: `cpu`. */
  readonly image: string;
  readonly title?: string | undefined;
  /** What a reader must know about these inputs. */
  readonly notes?: readonly string[] | undefined;
  readonly platform: 'linux/amd64' | 'linux/arm64';
  /** No time in the image is later: SOURCE_DATE_EPOCH, as RFC 3339. */
  readonly epoch: string;
  readonly compression: 'gzip' | 'zstd';
  readonly base: LockedBase;
  readonly want?: Wanted | undefined;
  readonly debian?: LockedDebian | undefined;
  readonly rpm?: LockedRpms | undefined;
  readonly python?: LockedPython | undefined;
  /** A checkout that is developed in the image, which has no wheel of Triton then. */
  readonly triton?: { readonly commit: string; readonly repository?: string | undefined } | undefined;
  readonly llvm?: readonly LockedLlvm[] | undefined;
  readonly files?: readonly LockedFile[] | undefined;
}

export type LockedBase =
  /** Folder of another lock, relative to this one. */
  | { readonly lock: string }
  | { readonly image: string; readonly digest: string }
  /** Suite of Debian: mmdebstrap makes the base from the packages of this lock. */
  | { readonly debootstrap: string }
  /** Release of a system of rpm: rpm makes the base from the packages of this lock. */
  | { readonly rpm: string };

/** What people asked for; `tcf lock update` turns it into the rest. */
export interface Wanted {
  /** Source packages' binaries by name. */
  readonly debian?: readonly string[] | undefined;
  /** Packages of rpm by name. */
  readonly rpm?: readonly string[] | undefined;
  /** Requirements in the form of PEP 508. */
  readonly python?: readonly string[] | undefined;
  /** Release of Triton on PyPI. */
  readonly triton?: string | undefined;
}

export interface LockedDebian {
  readonly suite: string;
  readonly packages: readonly LockedDeb[];
}

export interface LockedDeb {
  readonly name: string;
  readonly version: string;
  /** Hexadecimal, from the signed index of the archive. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Below the root of the archive, wherever that is: the hash holds for every mirror of it. */
  readonly path: string;
  /** Of the archive for security; absent: of the main one. */
  readonly from?: 'security' | undefined;
  /** The package that needs it; absent: the lock asks for it, or it is essential. */
  readonly for?: string | undefined;
}

export interface LockedRpms {
  /** `9`. */
  readonly release: string;
  /** Which repositories packages come from: `baseos`. Where they are, `--mirror rpm:baseos=PLACE` says. */
  readonly repositories: readonly string[];
  readonly packages: readonly LockedRpm[];
}

export interface LockedRpm {
  readonly name: string;
  /** `EPOCH:VERSION-RELEASE`, without an epoch of 0. */
  readonly version: string;
  readonly arch: string;
  /** From the metadata of the repository. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** Below the root of the repository. */
  readonly path: string;
  /** Name of the repository. */
  readonly from: string;
  /** The package that needs it; absent: the lock asks for it. */
  readonly for?: string | undefined;
}

export interface LockedPython {
  /** `3.13`. */
  readonly version: string;
  readonly wheels: readonly LockedWheel[];
}

export interface LockedWheel {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Name of its file, as every index has it (PEP 427). */
  readonly file: string;
  /** The distribution that needs it; absent: the lock asks for it. */
  readonly for?: string | undefined;
}

export interface LockedLlvm {
  readonly role: 'amd-codegen' | 'core' | 'nvidia-codegen';
  readonly commit: string;
  /** `OWNER/NAME` on GitHub. */
  readonly repository?: string | undefined;
  readonly version?: string | undefined;
  /**
   * `wheel`: linked into Triton's wheel and proven by its hash; `tarball`: the prebuilt one, an input of its
   * own.
   */
  readonly in: 'tarball' | 'wheel';
  readonly url?: string | undefined;
  readonly sha256?: string | undefined;
}

export type LockedFile = FileByAddress | FileBeside;

export interface FileByAddress {
  readonly name: string;
  readonly version?: string | undefined;
  readonly sha256: string;
  readonly size?: number | undefined;
  readonly url: string;
  /** SPDX expression. */
  readonly license?: string | undefined;
}

/** What several images share has one home, in the folder of one of them. */
export interface FileBeside {
  readonly name: string;
  readonly sha256: string;
  /** `../FOLDER/FILE`, from the folder of the lock. */
  readonly path: string;
  readonly version?: undefined;
}
