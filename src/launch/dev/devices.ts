import type { Device } from './options.ts';

interface DeviceFlags {
  /** What a container needs to reach the device, beside the GPUs themselves and the groups that own them. */
  readonly access: readonly string[];
  /**
   * What profilers need besides: performance counters and the memory of other processes. Nothing they do
   * needs `--privileged`.
   */
  readonly tools: readonly string[];
  /** What a devcontainer.json says in addition, which is written on one machine and opened on others. */
  readonly anyMachine: readonly string[];
}

const plain: DeviceFlags = {
  access: [],
  tools: ['--cap-add=SYS_PTRACE', '--cap-add=PERFMON'],
  anyMachine: [],
};

/** The flags of podman run and docker run for each device of the launcher. */
export const deviceFlags: Readonly<Record<Device, DeviceFlags>> = {
  base: plain,
  cpu: plain,
  cuda: {
    access: ['--security-opt=label=disable'],
    tools: ['--cap-add=SYS_ADMIN'],
    anyMachine: ['--device=nvidia.com/gpu=all'],
  },
  rocm: {
    access: [
      '--device=/dev/kfd',
      '--device=/dev/dri',
      '--cap-add=SYS_PTRACE',
      '--ipc=host',
      '--security-opt=seccomp=unconfined',
    ],
    tools: ['--cap-add=PERFMON'],
    anyMachine: ['--group-add=keep-groups', '--security-opt=label=disable'],
  },
};
