import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { hostOf, isLoopback } from './hosts.ts';

/**
 * One challenge of a WWW-Authenticate header (RFC 9110, 11.6.1); scheme and parameter names in lower case.
 */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Reads a WWW-Authenticate header, possibly with several challenges. What does not fit the grammar ends the
 * list.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const token = /[\s,]*([!#$%&'*+.^_`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y;
  const text = header.slice(0, 8192);
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const [, name = '', inQuotes, bare] = found;
    const value = inQuotes?.replace(/\\(.)/g, '$1') ?? bare;
    if (value === undefined) {
      challenges.push({ scheme: name.toLowerCase(), parameters: Object.create(null) });
    } else {
      const last = challenges.at(-1);
      if (last === undefined) {
        break;
      }
      last.parameters[name.toLowerCase()] ??= value;
    }
  }
  return challenges;
}

/** Token services that are known to belong to a registry under another name. */
const tokenHosts: Readonly<Record<string, string>> = {
  'registry-1.docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
  'registry.digitalocean.com': 'api.digitalocean.com',
};

export interface Realm {
  readonly url: URL;
  /** Whether the registry's credentials may go there. A token without them may be asked of anybody. */
  readonly trusted: boolean;
}

/**
 * The token service of a bearer challenge. The realm is the registry's word, and credentials follow it: only
 * https, no user info, and credentials only to the registry's own host or its known token service.
 *
 * @throws TcfError `registry.refused`.
 */
export function toRealm(text: string | undefined, registry: URL): Realm {
  // A path is one of the registry itself: some behind a proxy do not know their own name.
  const base = text?.startsWith('/') ? registry : undefined;
  const url = text !== undefined && URL.canParse(text, base) ? new URL(text, base) : undefined;
  if (url === undefined) {
    throw cannotTell('registry.protocol', `${quoted(registry.host)} names no token service that can be read`);
  }
  const plainAllowed = registry.protocol === 'http:' && isLoopback(hostOf(url));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && plainAllowed)) {
    throw cannotTell(
      'registry.refused',
      `${quoted(registry.host)} wants a token fetched from ${quoted(url.origin)}, which is not https`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw cannotTell('registry.refused', `${quoted(registry.host)} names a token service with user info`);
  }
  const own = url.hostname === registry.hostname && (url.port === registry.port || url.port === '');
  const known = tokenHosts[registry.host] === url.host;
  return { url, trusted: own || known };
}
