import { parse, TomlError } from 'smol-toml';
import { decodeUtf8 } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import type { Mirror, RegistriesConfig, RegistryTable } from './registries-config.ts';

/** The list of short names that distributions ship has 170. */
const maxEntries = 10_000;

/**
 * Reads one file. Unknown keys are ignored, as podman does.
 *
 * @throws TcfError `registries.malformed` (exit 2): podman refuses such a file too, and to go on without it
 *   could mean another image.
 */
export function parseRegistriesConf(bytes: Uint8Array, path: string): RegistriesConfig {
  const text = decodeUtf8(bytes);
  if (text === undefined) {
    throw malformed(path, 'it is not UTF-8');
  }
  try {
    const shape = new Shape(parse(text), quoted(path));
    if (!shape.get('registries').missing) {
      throw malformed(path, 'it has the form of version 1, with [registries.search]');
    }
    return {
      search: shape.optional('unqualified-search-registries')?.list(maxEntries).map(readSearch),
      aliases: new Map(Object.entries(shape.optional('aliases')?.strings(maxEntries) ?? {})),
      registries: readTables(shape.optional('registry')?.list(maxEntries) ?? []),
    };
  } catch (error) {
    if (error instanceof TomlError) {
      throw malformed(path, `line ${error.line}: ${firstLine(error.message)}`);
    }
    throw error;
  }
}

function firstLine(text: string): string {
  return printable(text.split('\n')[0] ?? '', 200);
}

function malformed(path: string, why: string): TcfError {
  return cannotTell('registries.malformed', `cannot read ${quoted(path)}: ${why}`, {
    hint: 'podman does not read it either; correct the file, or write names in full and move it away',
  });
}

/**
 * As containers/image `postProcessRegistries` does: what it refuses is refused, and of two tables with one
 * prefix in one file the first counts.
 */
function readTables(shapes: readonly Shape[]): readonly RegistryTable[] {
  const tables = new Map<string, RegistryTable>();
  const places = new Map<string, RegistryTable>();
  for (const shape of shapes) {
    const table = readTable(shape);
    const place = table.location || table.prefix;
    const other = places.get(place) ?? table;
    if (other.insecure !== table.insecure || other.blocked !== table.blocked) {
      throw shape.wrong(`says something else about ${quoted(place)} than the table before it`);
    }
    places.set(place, table);
    if (!tables.has(table.prefix)) {
      tables.set(table.prefix, table);
    }
  }
  return [...tables.values()];
}

function readTable(shape: Shape): RegistryTable {
  const location = readPlace(shape.get('location'));
  const prefix = readPlace(shape.get('prefix')) || location;
  const isWildcard = prefix.startsWith('*.');
  if (location === '' && !isWildcard) {
    throw shape.wrong(prefix === '' ? 'has neither a prefix nor a location' : 'has a prefix and no location');
  }
  if (isWildcard && /[/@:]/.test(prefix)) {
    throw shape.get('prefix').wrong(`is ${quoted(prefix)}; only a host can begin with *.`);
  }
  if (shape.optional('pull-from-mirror')?.string(20)) {
    throw shape.get('pull-from-mirror').wrong('stands at a registry, and is for its mirrors');
  }
  const byDigest = shape.optional('mirror-by-digest-only')?.boolean() ?? false;
  return {
    prefix,
    location,
    blocked: shape.optional('blocked')?.boolean() ?? false,
    insecure: shape.optional('insecure')?.boolean() ?? false,
    mirrors: (shape.optional('mirror')?.list(100) ?? []).map((mirror) => readMirror(mirror, byDigest)),
  };
}

function readMirror(shape: Shape, byDigest: boolean): Mirror {
  const pull = shape.optional('pull-from-mirror')?.string(20) ?? '';
  if (pull !== '' && pull !== 'all' && pull !== 'digest-only' && pull !== 'tag-only') {
    throw shape.get('pull-from-mirror').wrong(`is ${quoted(pull)}, not all, digest-only or tag-only`);
  }
  if (pull !== '' && byDigest) {
    throw shape.get('pull-from-mirror').wrong('stands beside mirror-by-digest-only');
  }
  const location = readPlace(shape.get('location'));
  if (location === '') {
    throw shape.wrong('has no location');
  }
  return {
    location,
    insecure: shape.optional('insecure')?.boolean() ?? false,
    pull: byDigest ? 'digest-only' : pull || 'all',
  };
}

/** `host[:port][/path...]`; empty where nothing is said. */
function readPlace(shape: Shape): string {
  const text = shape.missing ? '' : shape.string(300).replace(/\/+$/, '');
  if (/^https?:\/\//.test(text)) {
    throw shape.wrong(`is ${quoted(text)}; a place has no scheme`);
  }
  return text;
}

/** One part of a host name. */
const label = '[a-z\\d](?:[a-z\\d-]*[a-z\\d])?';
/** containers/image `DomainRegexp`: a host with a port, and no path. */
const domain = new RegExp(`^${label}(?:\\.${label})*(?::\\d+)?$`, 'i');

function readSearch(shape: Shape): string {
  const host = readPlace(shape);
  if (!domain.test(host)) {
    throw shape.wrong(`is ${quoted(host)}, not a registry`);
  }
  return host;
}
