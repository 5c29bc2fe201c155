import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { digestOf } from '../../oci/digest.ts';
import { replaceFile } from '../../system/atomic.ts';
import { makeFolder } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';
import type { InputStore } from '../lock/input-store.ts';
import { type Input, inputsOf } from '../lock/inputs.ts';
import type { OpenLock } from '../lock/load-lock.ts';
import type { Lock } from '../lock/lock.ts';

const folderOfKind = { deb: 'debs', file: 'files', llvm: 'llvm', rpm: 'rpms', wheel: 'wheels' } as const;

/**
 * Lays the inputs of a lock into a folder, each checked against its hash while it is copied: `debs`, which
 * apt reads as an archive, `rpms`, `wheels`, `llvm` and `files`. Every folder is there, so that a Containerfile need
 * not ask.
 *
 * @throws TcfError `content.digest` (exit 2) for an input that is another one now.
 */
export async function layInputs(
  host: Host,
  { folder: home, lock }: OpenLock,
  store: InputStore,
  folder: string,
): Promise<void> {
  const inputs = inputsOf(lock, home);
  for (const name of Object.values(folderOfKind)) {
    await makeFolder(host, join(folder, name));
  }
  for (const input of inputs) {
    await replaceFile(join(folder, folderOfKind[input.kind], input.fileName), store.open(input));
  }
  const debs = inputs.filter(({ kind }) => kind === 'deb');
  await writeDebIndex(host, lock, debs, store, join(folder, 'debs'));
}

/** The index of an archive in which only the packages of the lock are: what apt then chooses from. */
async function writeDebIndex(
  host: Host,
  lock: Lock,
  debs: readonly Input[],
  store: InputStore,
  folder: string,
): Promise<void> {
  const stanzas: string[] = [];
  for (const input of debs) {
    const control = await controlOf(host, store.path(input));
    stanzas.push(
      `${control.trim()}\nFilename: ./${input.fileName}\nSize: ${input.size ?? 0}\nSHA256: ${input.digest.slice('sha256:'.length)}\n`,
    );
  }
  const packages = Buffer.from(stanzas.join('\n'));
  const suite = lock.debian?.suite ?? 'none';
  const release = [
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    `Date: ${new Date(lock.epoch).toUTCString().replace('GMT', 'UTC')}`,
    `Architectures: ${architectureOf(lock)}`,
    'SHA256:',
    ` ${digestOf(packages).slice('sha256:'.length)} ${packages.length} Packages`,
  ];
  await replaceFile(join(folder, 'Packages'), packages);
  await replaceFile(join(folder, 'Release'), `${release.join('\n')}\n`);
}

function architectureOf({ platform }: Pick<Lock, 'platform'>): 'amd64' | 'arm64' {
  return platform === 'linux/amd64' ? 'amd64' : 'arm64';
}

async function controlOf(host: Host, path: string): Promise<string> {
  const ran = await host.run('/usr/bin/dpkg-deb', ['--field', path]);
  if (ran.code !== 0) {
    throw cannotTell('build.deb', `dpkg-deb cannot read a package of the lock: ${ran.stderr.trim()}`);
  }
  return ran.stdout;
}
