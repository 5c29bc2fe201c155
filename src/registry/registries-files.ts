import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { byCodeUnit } from '../base/text.ts';
import { isMissing } from '../system/errors.ts';
import { fileExists, readPlainFile } from '../system/files.ts';
import { absolute, userFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';
import { uidOutside } from '../system/namespace.ts';
import { mergeRegistriesConf, noRegistriesConfig, type RegistriesConfig } from './registries-config.ts';

/** Those of distributions have 10 KB. */
const maxFile = 1024 * 1024;

/**
 * Whether a file can say something about full names: it has a table `registry`, or escapes that may spell it.
 * The short names that distributions ship do not, and stand in the way of every start.
 */
const aboutRegistries = /^[ \t]*(?:\[\[?[ \t]*["']?registry|["']?registry["']?[ \t]*=[ \t]*\[)|\\/m;

/**
 * What podman, buildah and skopeo read of this user, in the order in which a later file wins: the user's own
 * registries.conf in place of the system's, the drop-in files, and the short names that podman was told on a
 * terminal.
 *
 * @param names `full`: short names are not asked for, so files about nothing else are not parsed.
 * @throws TcfError `registries.malformed` (exit 2), `file.unreadable` (exit 3).
 */
export async function loadRegistriesConfig(
  host: Host,
  names: 'all' | 'full' = 'all',
): Promise<RegistriesConfig> {
  const files: (readonly [Uint8Array, string])[] = [];
  for (const path of registriesFiles(host)) {
    const bytes = await readPlainFile(host, path, maxFile, 'the registries of containers');
    if (names === 'all' || aboutRegistries.test(Buffer.from(bytes).toString())) {
      files.push([bytes, path]);
    }
  }
  if (files.length === 0) {
    return noRegistriesConfig;
  }
  // The parser of TOML is loaded for those who need it.
  const { parseRegistriesConf } = await import('./registries-conf.ts');
  return mergeRegistriesConf(files.map(([bytes, path]) => parseRegistriesConf(bytes, path)));
}

/** The paths that are there. containers/image `newConfigWrapper`. */
function registriesFiles(host: Host): readonly string[] {
  const system = join(dirname(host.machine.config), 'containers');
  const user = join(userFolder(host, 'XDG_CONFIG_HOME'), 'containers');
  const chosen =
    absolute(host.env['CONTAINERS_REGISTRIES_CONF']) ?? absolute(host.env['REGISTRIES_CONFIG_PATH']);
  const own = join(user, 'registries.conf');
  const dropIns = [
    ...confFiles(join(system, 'registries.conf.d')),
    ...confFiles(join(user, 'registries.conf.d')),
  ];
  const isOwn = chosen === undefined && fileExists(host, own);
  const files = isOwn
    ? [own, ...confFiles(join(user, 'registries.conf.d'))]
    : [chosen ?? join(system, 'registries.conf'), ...dropIns];
  return [...files, recordedNames(host)].filter((path) => fileExists(host, path));
}

/** What podman keeps of the answers to its questions. */
function recordedNames(host: Host): string {
  // Hooks of rootless podman run as root of its namespace, and their files are the user's.
  const folder = uidOutside(host.uid) === 0 ? '/var/cache' : userFolder(host, 'XDG_CACHE_HOME');
  return join(folder, 'containers', 'short-name-aliases.conf');
}

function confFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.conf'));
    return names.sort(byCodeUnit).map((name) => join(folder, name));
  } catch (error) {
    if (isMissing(error)) {
      return [];
    }
    throw error;
  }
}
