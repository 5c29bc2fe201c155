import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { normalLayer } from '../../image/normal-layer.ts';
import { makeFolder } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { Lock } from '../lock/lock.ts';
import { runCleanly, withoutNetwork } from './clean-run.ts';
import { packLayer, type StageLayer } from './stage.ts';

/** Where CentOS 9 has the database; another system's rpm would put it elsewhere. */
const database = '/var/lib/rpm';

/**
 * The lowest layer of a system of rpm, made from the packages of a lock and from nothing else, by the rpm of
 * this machine. It needs root: scripts of packages run in the new system. rpm 4.18 and later write
 * SOURCE_DATE_EPOCH as the time of installation.
 *
 * @param rpms a folder as `layInputs` makes it.
 * @throws TcfError `build.tool`, `build.failed` (exit 2), `build.root` (exit 3).
 */
export async function makeRpmRoot(host: Host, lock: Lock, rpms: string, work: string): Promise<StageLayer> {
  const rpm = host.find('rpm');
  if (rpm === undefined) {
    throw cannotTell('build.tool', 'found no rpm on PATH, which makes the base', {
      hint: 'install rpm 4.18 or later, or name a base image by digest in the lock',
    });
  }
  if (host.uid !== 0) {
    throw askedWrongly('build.root', 'a base is made by rpm as root: scripts of packages run in it', {
      hint: 'build as root, or name a base image by digest in the lock',
    });
  }
  const epoch = Date.parse(lock.epoch) / 1000;
  const root = join(work, 'root');
  await makeFolder(host, root);
  const files = readdirSync(rpms)
    .sort()
    .map((name) => join(rpms, name));
  const command = [
    rpm,
    '--root',
    root,
    '--define',
    `_dbpath ${database}`,
    '--excludedocs',
    '--install',
    ...files,
  ];
  const [file = rpm, ...args] = [...(withoutNetwork(host) ?? []), ...command];
  await runCleanly(host, epoch, file, args);
  // The journal of the database is empty once rpm has ended, and its index is of this machine.
  for (const name of ['rpmdb.sqlite-shm', 'rpmdb.sqlite-wal', '.rpm.lock']) {
    await rm(join(root, database, name), { force: true });
  }
  const tar = join(work, 'root.tar');
  await runCleanly(host, epoch, 'tar', [
    '--create',
    '--numeric-owner',
    `--file=${tar}`,
    `--directory=${root}`,
    '.',
  ]);
  await rm(root, { recursive: true });
  return await packLayer(join(work, 'layer'), await normalLayer(tar, epoch), lock.compression);
}
