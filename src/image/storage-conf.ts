import { join } from 'node:path';
import { decodeUtf8 } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { readSmall } from './files.ts';

export interface StorageSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly uid: number;
}

const confLimit = 1024 * 1024;

/**
 * Where the local store lies: what containers-storage.conf(5) says, else /var/lib/containers/storage for root and
 * ~/.local/share/containers/storage for everybody else.
 *
 * @throws TcfError `storage.conf` (exit 2) for a file that names another driver than overlay.
 */
export async function graphRootOf({ env, home, uid }: StorageSettings): Promise<string> {
  const isRoot = uid === 0;
  const named = env['CONTAINERS_STORAGE_CONF'];
  const own = join(env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'containers/storage.conf');
  const system = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];
  for (const path of named === undefined ? (isRoot ? system : [own]) : [named]) {
    const bytes = await readSmall(path, confLimit);
    if (bytes === undefined) continue;
    const settings = readStorageTable(decodeUtf8(bytes) ?? '');
    const driver = settings.get('driver') ?? 'overlay';
    if (driver !== 'overlay' && driver !== '') {
      throw cannotTell(
        'storage.conf',
        `${quoted(path)} names the driver ${quoted(driver)}; tcf reads overlay`,
      );
    }
    const graphRoot = settings.get('graphroot');
    if (graphRoot !== undefined && graphRoot !== '') return graphRoot.replace(/^\$HOME/, home);
    break;
  }
  const data = env['XDG_DATA_HOME'] ?? join(home, '.local/share');
  return isRoot ? '/var/lib/containers/storage' : join(data, 'containers/storage');
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
