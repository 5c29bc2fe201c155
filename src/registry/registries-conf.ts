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
      search: shape
        .optional('unqualified-search-registries')
        ?.list(maxEntries)
        .map((entry) => entry.string(300)),
      aliases: new Map(Object.entries(shape.optional('aliases')?.strings(maxEntries) ?? {})),
      registries: (shape.optional('registry')?.list(maxEntries) ?? []).map(readTable),
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

function readTable(shape: Shape): RegistryTable {
  const location = (shape.optional('location')?.string(300) ?? '').replace(/\/+$/, '');
  const prefix = (shape.optional('prefix')?.string(300) ?? '').replace(/\/+$/, '') || location;
  if (prefix === '') {
    throw shape.wrong('has neither a prefix nor a location');
  }
  if (location === '' && !prefix.startsWith('*.')) {
    throw shape.wrong('has a prefix and no location');
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
  const pull = shape.optional('pull-from-mirror')?.string(20) || 'all';
  if (pull !== 'all' && pull !== 'digest-only' && pull !== 'tag-only') {
    throw shape.get('pull-from-mirror').wrong(`is ${quoted(pull)}, not all, digest-only or tag-only`);
  }
  return {
    location: shape.get('location').string(300).replace(/\/+$/, ''),
    insecure: shape.optional('insecure')?.boolean() ?? false,
    pull: byDigest ? 'digest-only' : pull,
  };
}
