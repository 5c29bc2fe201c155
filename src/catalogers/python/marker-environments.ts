import type { Environment } from './environments.ts';
import type { MarkerEnvironment } from './markers.ts';

const machines: Readonly<Record<string, string>> = {
  '386': 'i686',
  amd64: 'x86_64',
  arm: 'armv7l',
  arm64: 'aarch64',
};

/**
 * The marker variables of PEP 508. Where only `3.11` is known, the first and a late release of it: a
 * requirement that holds in either counts, and an edge leads to what is installed anyway.
 */
export function markerEnvironments(
  environment: Environment,
  architecture: string,
): readonly MarkerEnvironment[] {
  const python = environment.python ?? '3';
  const full = environment.fullVersion ?? environment.parent?.fullVersion;
  const versions = full?.startsWith(`${python}.`) ? [full] : [`${python}.0`, `${python}.99`];
  return versions.map((version) => ({
    implementation_name: 'cpython',
    implementation_version: version,
    os_name: 'posix',
    platform_machine: machines[architecture] ?? architecture,
    platform_python_implementation: 'CPython',
    platform_system: 'Linux',
    python_full_version: version,
    python_version: python,
    sys_platform: 'linux',
  }));
}
