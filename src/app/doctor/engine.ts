import { broken, type Diagnostic, note, ok } from '../../base/diagnostic.ts';
import { lastLine, printable } from '../../base/text.ts';
import type { Engine } from '../../launch/engine.ts';
import type { Host } from '../../system/host.ts';
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
      `${name} ${printable(version)} uses a service on another machine, where the hooks of this machine do not run`,
      'use "tcf run", and install the hook there',
    );
  }
  return ok('engine.works', `${name} ${printable(version)}${rootless === 'true' ? ', rootless' : ''}`);
}
