import { TcfError } from '../base/error.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';

type Name = Pick<ImageRef, 'registry' | 'repository'>;

/**
 * The canonical spelling of a scope: a registry in full, or a registry and leading path components of
 * repositories, compared as `parseImageRef` spells them (`index.docker.io/acme` is `docker.io/acme`). The
 * port of HTTPS is left out, for `quay.io:443` is `quay.io`. `undefined` for anything else: tags, digests,
 * patterns, short names.
 */
export function toScope(text: string): string | undefined {
  const registry = text.split('/', 1)[0] ?? '';
  if (!/[.:]/.test(registry) && registry !== 'localhost') {
    return undefined;
  }
  try {
    // Two more components: what is left then is the scope, whatever Docker Hub does to names of one
    // component.
    const { tag, ...name } = parseImageRef(`${withoutPort(registry)}${text.slice(registry.length)}/x/x`);
    return tag === 'latest' ? formatImageRef(name).slice(0, -'/x/x'.length) : undefined;
  } catch (error) {
    if (error instanceof TcfError && error.code === 'reference.malformed') {
      return undefined;
    }
    throw error;
  }
}

/** Nothing else than HTTPS is spoken to a registry at its port. */
function withoutPort(registry: string): string {
  return registry.replace(/:443$/, '');
}

/**
 * Whole path components only: the scope `quay.io/acme` covers `quay.io/acme/app`, never
 * `quay.io/acme-evil/app`. A scope of one component at Docker Hub covers the official image of that
 * name too: `docker.io/ubuntu` is how everybody writes `docker.io/library/ubuntu`.
 */
export function isInScope(scope: string, image: Name): boolean {
  return coverOf(scope, image) !== undefined;
}

/** The spelling of the scope that covers the image. */
function coverOf(scope: string, { registry, repository }: Name): string | undefined {
  const name = `${withoutPort(registry)}/${repository}/`;
  return spellingsOf(scope).find((spelling) => name.startsWith(`${spelling}/`));
}

/** The scope, and the official image of Docker Hub that it may name. */
export function spellingsOf(scope: string): readonly string[] {
  const official = /^docker\.io\/([^/]+)$/.exec(scope)?.[1];
  return official === undefined || official === 'library'
    ? [scope]
    : [scope, `docker.io/library/${official}`];
}

/** The longest scope that covers the image. Scopes of a policy are distinct, so there is at most one. */
export function mostSpecific<Scope extends { readonly match: string }>(
  scopes: readonly Scope[],
  image: Name,
): Scope | undefined {
  const lengthOf = ({ match }: Scope): number => coverOf(match, image)?.length ?? 0;
  return scopes
    .filter((scope) => isInScope(scope.match, image))
    .reduce<Scope | undefined>(
      (best, scope) => (best === undefined || lengthOf(scope) > lengthOf(best) ? scope : best),
      undefined,
    );
}
