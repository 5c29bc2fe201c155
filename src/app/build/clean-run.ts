import { cannotTell } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { Host } from '../../system/host.ts';

/**
 * What reaches a program of a build of the surroundings of tcf: what it needs to find its files, and nothing
 * that ends in an image.
 */
const kept = [
  'HOME',
  'PATH',
  'TMPDIR',
  'XDG_RUNTIME_DIR',
  'XDG_DATA_HOME',
  'XDG_CONFIG_HOME',
  'CONTAINERS_CONF',
  'CONTAINERS_STORAGE_CONF',
];

/**
 * Runs a program of a build to its end, with a fixed language, time zone and moment.
 *
 * @param epoch seconds since 1970, as SOURCE_DATE_EPOCH.
 * @param settings further variables for it.
 * @throws TcfError `build.failed` (exit 2) with the end of what it said.
 */
export async function runCleanly(
  host: Host,
  epoch: number,
  file: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const environment = kept.flatMap((name) => {
    const value = host.env[name];
    return value === undefined || value === '' ? [] : [`${name}=${value}`];
  });
  const fixed = [
    ...[`SOURCE_DATE_EPOCH=${epoch}`, 'LC_ALL=C.UTF-8', 'TZ=UTC'],
    ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
  ];
  const ran = await host.run('/usr/bin/env', ['-i', ...environment, ...fixed, file, ...args]);
  if (ran.code === 0) {
    return ran.stdout;
  }
  const said = `${ran.stdout}\n${ran.stderr}`.trim().split('\n').slice(-20).join('\n');
  throw cannotTell('build.failed', `${file} ${args[0] ?? ''} exited ${ran.code}: ${printable(said, 4000)}`, {
    hint: 'the last lines say what went wrong in the build; it has no network and sees only the inputs of the lock',
  });
}

/**
 * Programs in front of another that take the network away from it, and let its mounts end with it.
 *
 * @param engine buildah or podman: who is not root is root in the namespace that they make. Absent: root only.
 */
export function withoutNetwork(host: Host, engine?: string): readonly string[] | undefined {
  const unshare = host.find('unshare');
  if (unshare === undefined || (host.uid !== 0 && engine === undefined)) {
    return undefined;
  }
  const asRoot = host.uid === 0 || engine === undefined ? [] : [engine, 'unshare'];
  return [...asRoot, unshare, '--net', '--mount'];
}
