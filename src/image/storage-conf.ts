import { join } from 'node:path';
import { decodeUtf8 } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { userFolder } from '../system/folders.ts';
import type { StorageSettings } from './contract.ts';
import { readSmall } from './files.ts';
import { type LocalStore, localStoreAt, type StorageDriver, storageDrivers } from './storage-files.ts';

const confLimit = 1024 * 1024;

/**
 * Where the local store lies: what containers-storage.conf(5) says, else /var/lib/containers/storage for root and
 * ~/.local/share/containers/storage for everybody else, in `podman unshare` too, where they are root by their own word.
 *
 * @throws TcfError `storage.conf` (exit 2) for a file that names another driver than overlay or vfs.
 */
export async function localStoreOf({ env, home, uid }: StorageSettings): Promise<LocalStore> {
  const isRoot = uid === 0 && (env['_CONTAINERS_USERNS_CONFIGURED'] ?? '') === '';
  const usual = isRoot
    ? '/var/lib/containers/storage'
    : join(userFolder({ env, home }, 'XDG_DATA_HOME'), 'containers/storage');
  const named = env['CONTAINERS_STORAGE_CONF'];
  const own = join(userFolder({ env, home }, 'XDG_CONFIG_HOME'), 'containers/storage.conf');
  const system = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];
  for (const path of named === undefined ? (isRoot ? system : [own]) : [named]) {
    const bytes = await readSmall(path, confLimit);
    if (bytes === undefined) continue;
    const settings = readStorageTable(decodeUtf8(bytes) ?? '');
    const driver = readDriver(settings.get('driver') ?? '', path);
    const graphRoot = settings.get('graphroot') ?? '';
    return await localStoreAt(graphRoot === '' ? usual : graphRoot.replace(/^\$HOME/, home), driver);
  }
  return await localStoreAt(usual);
}

function readDriver(text: string, path: string): StorageDriver | undefined {
  const driver = storageDrivers.find((one) => one === text);
  if (driver !== undefined || text === '') return driver;
  throw cannotTell(
    'storage.conf',
    `${quoted(path)} names the driver ${quoted(text)}; tcf reads ${storageDrivers.join(' and ')}`,
  );
}

/** The strings of the table `[storage]` of a TOML file, as far as this file uses TOML. */
function readStorageTable(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  let table = '';
  for (const line of text.split('\n')) {
    const heading = /^\s*\[([^\]]*)\]/.exec(line)?.[1];
    if (heading !== undefined) table = heading.trim();
    const [, key, basic, literal] = /^\s*(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)')/.exec(line) ?? [];
    if (table === 'storage' && key !== undefined) values.set(key, basic ?? literal ?? '');
  }
  return values;
}
