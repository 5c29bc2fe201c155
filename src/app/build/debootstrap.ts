import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { normalLayer } from '../../image/normal-layer.ts';
import type { Host } from '../../system/host.ts';
import type { Lock } from '../lock/lock.ts';
import { runCleanly, withoutNetwork } from './clean-run.ts';
import { packLayer, type StageLayer } from './stage.ts';

/**
 * As Debian's slim images leave it out: nobody reads manuals in a container, and licences stay (`copyright`).
 * dpkg keeps the rule in the image, so that later packages follow it.
 */
const excluded = [
  '/usr/share/doc/*',
  '/usr/share/info/*',
  '/usr/share/man/*',
  '/usr/share/locale/*',
  '/usr/share/lintian/*',
];
const included = ['/usr/share/doc/*/copyright', '/usr/share/locale/locale.alias'];

/**
 * The lowest layer of a Debian made from the packages of a lock and from nothing else. mmdebstrap gets them
 * as an archive in a folder, and no network.
 *
 * @param debs a folder as `layInputs` makes it.
 * @throws TcfError `build.tool`, `build.failed` (exit 2).
 */
export async function debootstrap(host: Host, lock: Lock, debs: string, work: string): Promise<StageLayer> {
  const mmdebstrap = host.find('mmdebstrap');
  if (mmdebstrap === undefined) {
    throw cannotTell('build.tool', 'found no mmdebstrap on PATH, which makes the base of Debian', {
      hint: 'install mmdebstrap, or name a base image by digest in the lock',
    });
  }
  const epoch = Date.parse(lock.epoch) / 1000;
  const names = (lock.debian?.packages ?? []).map(({ name }) => name);
  const tar = join(work, 'root.tar');
  const command = [
    mmdebstrap,
    ...['--quiet', host.uid === 0 ? '--mode=root' : '--mode=unshare', '--variant=essential'],
    `--include=${names.join(',')}`,
    `--architectures=${lock.platform === 'linux/amd64' ? 'amd64' : 'arm64'}`,
    ...excluded.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...included.map((path) => `--dpkgopt=path-include=${path}`),
    // The archive in a folder is there for this moment; afterwards there is nothing to install from.
    '--customize-hook=rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d "$1"/etc/apt/apt.conf.d/99mmdebstrap',
    '--customize-hook=mkdir "$1"/etc/apt/sources.list.d',
    lock.debian?.suite ?? '',
    tar,
    `deb [trusted=yes] copy:${debs} ./`,
  ];
  const [file = mmdebstrap, ...args] = [...(withoutNetwork(host) ?? []), ...command];
  await runCleanly(host, epoch, file, args);
  return await packLayer(join(work, 'layer'), await normalLayer(tar, epoch), lock.compression);
}
