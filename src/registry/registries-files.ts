import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { byCodeUnit } from '../base/text.ts';
import { isMissing } from '../system/errors.ts';
import { fileExists, readPlainFile } from '../system/files.ts';
import { absolute, userFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';
import { mergeRegistriesConf, noRegistriesConfig, type RegistriesConfig } from './registries-config.ts';

/** Those of distributions have 10 KB. */
const maxFile = 1024 * 1024;

/**
 * What podman, buildah and skopeo read of this user, in the order in which a later file wins: the user's own
 * registries.conf in place of the system's, the drop-in files, and the short names that podman was told on a
 * terminal.
 *
 * @throws TcfError `registries.malformed` (exit 2), `file.unreadable` (exit 3).
 */
export async function loadRegistriesConfig(host: Host): Promise<RegistriesConfig> {
  const paths = registriesFiles(host);
  if (paths.length === 0) return noRegistriesConfig;
  // TOML is read where there is such a file only.
  const { parseRegistriesConf } = await import('./registries-conf.ts');
  const files = paths.map(async (path) =>
    parseRegistriesConf(await readPlainFile(host, path, maxFile, 'the registries of containers'), path),
  );
  return mergeRegistriesConf(await Promise.all(files));
}

/** The paths that are there. containers/image `newConfigWrapper`. */
export function registriesFiles(host: Host): readonly string[] {
  const system = join(dirname(host.machine.config), 'containers');
  const user = join(userFolder(host, 'XDG_CONFIG_HOME'), 'containers');
  const chosen =
    absolute(host.env['CONTAINERS_REGISTRIES_CONF']) ?? absolute(host.env['REGISTRIES_CONFIG_PATH']);
  const own = join(user, 'registries.conf');
  const dropIns = [
    ...confFiles(join(system, 'registries.conf.d')),
    ...confFiles(join(user, 'registries.conf.d')),
  ];
  const files =
    chosen !== undefined
      ? [chosen, ...dropIns]
      : fileExists(host, own)
        ? [own, ...confFiles(join(user, 'registries.conf.d'))]
        : [join(system, 'registries.conf'), ...dropIns];
  return [...files, recordedNames(host)].filter((path) => fileExists(host, path));
}

/** What podman keeps of the answers to its questions. */
function recordedNames(host: Host): string {
  const folder = host.uid === 0 ? '/var/cache' : userFolder(host, 'XDG_CACHE_HOME');
  return join(folder, 'containers', 'short-name-aliases.conf');
}

function confFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.conf'));
    return names.sort(byCodeUnit).map((name) => join(folder, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
