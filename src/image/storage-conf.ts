import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { decodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { userFolder } from '../system/folders.ts';
import type { StorageSettings } from './contract.ts';
import { readSmall } from './files.ts';
import { type LocalStore, localStoreAt, type StorageDriver, storageDrivers } from './storage-files.ts';

const confLimit = 1024 * 1024;

/**
 * Where the local store lies: what containers-storage.conf(5) says, else /var/lib/containers/storage for root
 * and ~/.local/share/containers/storage for everybody else, in `podman unshare` too, where they are root by
 * their own word.
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
  const usualFiles = isRoot ? system : [own];
  for (const path of named === undefined ? usualFiles : [named]) {
    const bytes = await readSmall(path, confLimit);
    if (bytes === undefined) {
      continue;
    }
    const { additional, driver, graphRoot } = readStorageConf(bytes, path);
    const store = await localStoreAt(graphRoot === '' ? usual : inHome(graphRoot, home), driver);
    const below = await Promise.all(additional.map((folder) => localStoreAt(inHome(folder, home), driver)));
    return below.length === 0 ? store : { ...store, additional: below };
  }
  return await localStoreAt(usual);
}

function readDriver(text: string, path: string): StorageDriver | undefined {
  const driver = storageDrivers.find((one) => one === text);
  if (driver !== undefined || text === '') {
    return driver;
  }
  throw cannotTell(
    'storage.conf',
    `${quoted(path)} names the driver ${quoted(text)}; tcf reads ${storageDrivers.join(' and ')}`,
  );
}

interface StorageConf {
  readonly driver?: StorageDriver;
  /** `` where the file names none. */
  readonly graphRoot: string;
  /** Folders of stores that are only read from. */
  readonly additional: readonly string[];
}

function readStorageConf(bytes: Uint8Array, path: string): StorageConf {
  const storage = parseTable(bytes, path).optional('storage');
  const driver = readDriver(storage?.optional('driver')?.string() ?? '', path);
  return compact({
    driver,
    graphRoot: storage?.optional('graphroot')?.string() ?? '',
    additional: (storage?.optional('options')?.optional('additionalimagestores')?.list(100) ?? [])
      .map((folder) => folder.string())
      .filter((folder) => folder !== ''),
  });
}

function parseTable(bytes: Uint8Array, path: string): Shape {
  try {
    return new Shape(parse(decodeUtf8(bytes) ?? ''), quoted(path));
  } catch (error) {
    if (!(error instanceof TomlError)) {
      throw error;
    }
    throw cannotTell('storage.conf', `cannot read ${quoted(path)}: line ${error.line} is not TOML`);
  }
}

function inHome(folder: string, home: string): string {
  return folder.replace(/^\$HOME/, home);
}
