import { broken, type Diagnostic, note, ok } from '../../base/diagnostic.ts';
import { type CdiFile, viewCdi } from '../../launch/dev/cdi.ts';
import { fileExists } from '../../system/files.ts';
import { readCdi } from '../launch/machine.ts';
import type { DoctorCheck } from './check.ts';

/** What makes GPUs visible in containers. */
export const gpu: DoctorCheck = {
  name: 'gpu',
  async examine(host) {
    const files = await readCdi(host);
    const found = [
      ...examineCdi(files),
      ...(fileExists(host, '/dev/nvidiactl') ? missingCdi(files) : []),
      ...(fileExists(host, '/dev/kfd') ? [ok('gpu.amd', 'there is an AMD GPU (/dev/kfd)')] : []),
    ];
    return found.length > 0 ? found : [note('gpu.none', 'there is no GPU here; --device cpu is for you')];
  },
};

/** What each file gives to containers, and what keeps it from doing so. */
export function examineCdi(files: readonly CdiFile[]): readonly Diagnostic[] {
  const { conflicts, givenBy } = viewCdi(files);
  const twice = conflicts.map(({ device, paths }) =>
    broken(
      'gpu.cdi-conflict',
      `${paths.join(' and ')} both name ${device}, and no container gets a device that two files of one folder name`,
      `rm ${paths.at(-1) ?? ''}`,
    ),
  );
  return [...files.map((file) => examineFile(file, files, [...givenBy.values()].includes(file))), ...twice];
}

function examineFile(
  { devices, missing, path, problem }: CdiFile,
  files: readonly CdiFile[],
  gives: boolean,
): Diagnostic {
  const again = `nvidia-ctk cdi generate --output=${path}`;
  if (problem !== undefined) {
    return broken('gpu.cdi-unreadable', `${path} cannot be read: ${problem}`, again);
  }
  const [gone] = missing;
  const over = files.filter(
    (other) => other.path !== path && other.devices.some((device) => devices.includes(device)),
  );
  if (gone === undefined) {
    const list = devices.join(', ');
    return ok('gpu.cdi', `${path} has ${list}${gives ? '' : `, but ${pathsOf(over)} gives them`}`);
  }
  const old = `${path} is older than the driver: it names ${gone}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}, and that is gone`;
  if (!gives) {
    return note('gpu.cdi-stale', `${old}; ${pathsOf(over)} wins over it`, `rm ${path}`);
  }
  return over.length === 0
    ? broken('gpu.cdi-stale', old, again)
    : broken('gpu.cdi-stale', `${old}; it wins over ${pathsOf(over)}`, `${again}, or rm ${path}`);
}

const pathsOf = (files: readonly CdiFile[]): string => files.map(({ path }) => path).join(' and ');

function missingCdi(files: readonly CdiFile[]): readonly Diagnostic[] {
  const hasGpu = files.some(({ devices }) => devices.some((name) => name.startsWith('nvidia.com/gpu=')));
  if (hasGpu) {
    return [];
  }
  return [
    broken(
      'gpu.cdi-missing',
      'there is an NVIDIA GPU, and no CDI file that podman could find it by',
      'nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
    ),
  ];
}
