/**
 * What the launcher has to know of the machine. Read once, then plain data, so that every machine can be
 * tried in a test.
 */
export interface Machine {
  readonly engine: 'docker' | 'podman';
  /** The engine runs as an ordinary user. */
  readonly isRootless: boolean;
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number };
  readonly cores: number;
  /** Bytes that this session may use: the limit of its control group, else the memory of the machine. */
  readonly memory: number;
  readonly isTerminal: boolean;
  /** SELinux enforces, so that mounts need a label. */
  readonly hasSelinux: boolean;
  /** CDI device names, such as `nvidia.com/gpu=all`. */
  readonly cdi: readonly string[];
  /** Owning groups of /dev/kfd and the render nodes; empty where there are none. */
  readonly amdGroups: readonly number[];
  readonly hasKfd: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}
