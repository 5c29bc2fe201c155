/** Where a hook is, if it is not at the usual place. */
export interface HookPlace {
  /** podman: a folder of hooks. */
  readonly hooksDir?: string;
  /** containerd: the `bin_dir` of its image verifier. */
  readonly binDir?: string;
  /** docker: the root of a machine that does not run. */
  readonly root?: string;
}

/** What a hook asks by. */
export interface HookAsks {
  readonly policy?: string;
  readonly trustedRoot?: string;
  readonly allowHttp?: boolean;
  /** Milliseconds that a registry may stay silent. */
  readonly timeout?: number;
  /** Milliseconds until the hook answers at the latest. */
  readonly deadline?: number;
  /** podman: RUN steps of builds run unasked. */
  readonly allowBuilds?: boolean;
}

export type InstallRequest = HookAsks & HookPlace;

export interface StatusRequest extends HookPlace {
  /** A signed image to try; default: the one that was allowed last. */
  readonly image?: string;
  /** containerd's socket. */
  readonly address?: string;
  /** containerd: pull that image by plain HTTP. */
  readonly allowHttp?: boolean;
}
