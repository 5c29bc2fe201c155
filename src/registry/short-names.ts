import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { RegistriesConfig } from './registries-config.ts';

export interface ResolvedName {
  readonly ref: ImageRef;
  /** What there is to tell: the name is not the one of Docker Hub that docker takes it for. */
  readonly note?: string;
}

/** Whether a name leaves the registry to the reader: `fedora`, `team/app:1`, and not `localhost/app`. */
export function isShortName(text: string): boolean {
  const [name = ''] = text.split('@');
  const [first = '', ...rest] = name.split('/');
  return rest.length === 0 || !(/[.:]/.test(first) || first === 'localhost');
}

/**
 * Reads a name as podman does with this configuration: an alias decides, else the only search registry. Where
 * podman would ask, or take the first registry that answers, nothing is chosen. Where podman knows no
 * registry, the name is one of Docker Hub, as docker reads it.
 *
 * @throws TcfError `reference.malformed`, `reference.ambiguous` (exit 3).
 */
export function resolveName(text: string, config: RegistriesConfig): ResolvedName {
  const atHub = parseImageRef(text);
  if (!isShortName(text)) {
    return { ref: atHub };
  }
  const [, name = '', suffix = ''] = /^([^@]*?)((?::[^:/@]+)?(?:@.*)?)$/s.exec(text) ?? [];
  const alias = config.aliases.get(name);
  const search = config.search ?? [];
  const meanings = alias === undefined ? search.map((registry) => `${registry}/${name}`) : [alias];
  const [first, ...others] = [
    ...new Set(meanings.map((meaning) => formatImageRef(readMeaning(meaning + suffix)))),
  ];
  if (first === undefined) {
    return { ref: atHub };
  }
  if (others.length > 0) {
    throw askedWrongly('reference.ambiguous', `${quoted(text)} can mean ${[first, ...others].join(' or ')}`, {
      hint: 'write it in full, or give it an alias in registries.conf(5)',
    });
  }
  const ref = parseImageRef(first);
  if (first === formatImageRef(atHub)) {
    return { ref };
  }
  const why = alias === undefined ? 'the search registry' : 'an alias';
  return {
    ref,
    note: `${quoted(text)} is ${first}, by ${why} in registries.conf, as podman reads it; docker reads it as ${formatImageRef(atHub)}`,
  };
}

/** @throws TcfError `reference.malformed` (exit 3): podman refuses such an alias too. */
function readMeaning(text: string): ImageRef {
  if (!isShortName(text)) {
    return parseImageRef(text);
  }
  throw askedWrongly(
    'reference.malformed',
    `registries.conf has the short name ${quoted(text)} in place of a full one`,
  );
}
