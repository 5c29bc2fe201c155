import { broken, type Diagnostic, note, ok } from '../../base/diagnostic.ts';
import { lastLine, printable } from '../../base/text.ts';
import type { Engine } from '../../launch/engine.ts';
import { fileExists } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import { readCdi } from '../launch/machine.ts';
import type { DoctorCheck } from './check.ts';

/** What runs containers. */
export const engine: DoctorCheck = {
  name: 'engine',
  async examine(host) {
    const found: Diagnostic[] = [];
    for (const name of ['podman', 'docker'] as const) {
      const path = host.find(name);
      if (path !== undefined) {
        found.push(await examineEngine(host, { name, path }));
      }
    }
    if (found.length === 0) {
      return [broken('engine.none', 'there is no podman and no docker on PATH', 'install podman')];
    }
    // One engine that works is enough.
    const works = found.some(({ level }) => level !== 'error');
    return found.map((finding) =>
      works && finding.level === 'error' ? { ...finding, level: 'note' } : finding,
    );
  },
};

async function examineEngine(host: Host, { name, path }: Engine): Promise<Diagnostic> {
  const format =
    name === 'podman'
      ? '{{.Version.Version}} {{.Host.Security.Rootless}} {{.Host.ServiceIsRemote}}'
      : '{{.ServerVersion}}';
  const info = await host.run(path, ['info', '--format', format]);
  if (info.code !== 0) {
    const why = lastLine(info.stderr);
    return broken('engine.fails', `${name} does not work: ${why}`, `try "${name} info"`);
  }
  const [version = '', rootless, remote] = info.stdout.trim().split(' ');
  if (remote === 'true') {
    return note(
      'engine.remote',
      `${name} ${printable(version)} speaks to a service elsewhere, where hooks of this machine do not run`,
      'use "tcf run", and install the hook there',
    );
  }
  return ok('engine.works', `${name} ${printable(version)}${rootless === 'true' ? ', rootless' : ''}`);
}

/** What makes GPUs visible in containers. */
export const gpu: DoctorCheck = {
  name: 'gpu',
  async examine(host) {
    const files = await readCdi(host);
    const nvidia = fileExists(host, '/dev/nvidiactl');
    const amd = fileExists(host, '/dev/kfd');
    const found = files.map(({ devices, missing, path, problem }) => {
      if (problem !== undefined) {
        return broken(
          'gpu.cdi-unreadable',
          `${path} cannot be read: ${printable(problem)}`,
          `nvidia-ctk cdi generate --output=${path}`,
        );
      }
      const [gone] = missing;
      if (gone === undefined) {
        return ok('gpu.cdi', `${path} has ${devices.join(', ')}`);
      }
      return broken(
        'gpu.cdi-stale',
        `${path} is older than the driver: it names ${printable(gone)}${missing.length > 1 ? ` and ${missing.length - 1} more` : ''}, and that is gone`,
        // A file in /var/run/cdi wins over one of the same device in /etc/cdi: the one that is stale has to
        // go.
        `nvidia-ctk cdi generate --output=${path}`,
      );
    });
    const hasCdi = files.some(({ devices }) => devices.some((name) => name.startsWith('nvidia.com/gpu=')));
    if (nvidia && !hasCdi) {
      found.push(
        broken(
          'gpu.cdi-missing',
          'there is an NVIDIA GPU, and no CDI file that podman could find it by',
          'nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml',
        ),
      );
    }
    if (amd) {
      found.push(ok('gpu.amd', 'there is an AMD GPU (/dev/kfd)'));
    }
    return found.length > 0 ? found : [note('gpu.none', 'there is no GPU here; --device cpu is for you')];
  },
};
