import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { isDigest } from '../oci/digest.ts';
import type { Repository } from './contract.ts';
import type { RegistriesConfig, RegistryTable } from './registries-config.ts';

/**
 * The repositories in which the content of a name is looked for, in order: mirrors, then the location of the
 * registry. containers/image `Registry.PullSourcesFromReference`.
 *
 * @throws TcfError `registry.blocked`, `registries.malformed` (exit 2).
 */
export function endpointsOf(
  { registry, repository }: Repository,
  reference: string,
  config: RegistriesConfig,
): readonly Repository[] {
  const name = `${registry}/${repository}`;
  const full = `${name}${isDigest(reference) ? '@' : ':'}${reference}`;
  const table = tableOf(full, config);
  if (table === undefined) {
    return [{ registry, repository }];
  }
  if (table.blocked) {
    throw cannotTell(
      'registry.blocked',
      `registries.conf blocks ${quoted(table.prefix)}, and with it ${full}`,
      {
        hint: 'ask who wrote registries.conf, or name another registry',
      },
    );
  }
  const wanted = isDigest(reference) ? 'digest-only' : 'tag-only';
  const mirrors = table.mirrors.filter(({ pull }) => pull === 'all' || pull === wanted);
  const locations = [...mirrors.map(({ location }) => location), table.location];
  return locations.map((location) => rewrite(name, table.prefix, location));
}

/** The same registries, each where its name says: what is written goes there. */
export function withoutMirrors(config: RegistriesConfig): RegistriesConfig {
  const registries = config.registries.map((table) => ({
    ...table,
    mirrors: [],
    location: table.prefix.startsWith('*.') ? '' : table.prefix,
  }));
  return { ...config, registries };
}

/** Whether the configuration lets plain HTTP be spoken to a host, on its own or as a mirror. */
export function isInsecure(host: string, config: RegistriesConfig): boolean {
  const isOf = (location: string) => location.split('/')[0] === host;
  return config.registries.some(
    ({ insecure, location, mirrors, prefix }) =>
      (insecure && isOf(location === '' ? prefix : location)) ||
      mirrors.some((mirror) => mirror.insecure && isOf(mirror.location)),
  );
}

/** The table with the longest prefix. */
function tableOf(full: string, { registries }: RegistriesConfig): RegistryTable | undefined {
  const matching = registries.filter(({ prefix }) => matches(full, prefix));
  return matching.sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

function matches(full: string, prefix: string): boolean {
  const [host = ''] = full.split('/');
  if (prefix.startsWith('*.')) {
    return host.endsWith(prefix.slice(1));
  }
  if (!full.startsWith(prefix)) {
    return false;
  }
  const next = full[prefix.length];
  // A port makes another registry, so it does not separate a host from a path.
  return next === undefined || next === '/' || (prefix.includes('/') && (next === ':' || next === '@'));
}

function rewrite(name: string, prefix: string, location: string): Repository {
  // A prefix with a tag or a digest is longer than the name; its location then replaces the whole name.
  const bare = prefix.replace(/(?<=\/.*)[:@].*/, '');
  const rest = prefix.startsWith('*.') ? name.slice(name.indexOf('/')) : name.slice(bare.length);
  const text = location === '' ? name : `${location.replace(/(?<=\/.*)[:@].*/, '')}${rest}`;
  const [, registry, repository] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (registry === undefined || repository === undefined) {
    throw cannotTell(
      'registries.malformed',
      `registries.conf makes ${quoted(text)} of ${name}, which names no repository`,
    );
  }
  return { registry, repository };
}
