import { TcfError } from '../base/error.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';

type Name = Pick<ImageRef, 'registry' | 'repository'>;

/**
 * The canonical spelling of a scope: a registry in full, or a registry and leading path components of repositories, compared as
 * `parseImageRef` spells them (`index.docker.io/acme` is `docker.io/acme`). `undefined` for anything else: tags, digests, patterns,
 * short names.
 */
export function toScope(text: string): string | undefined {
  const registry = text.split('/', 1)[0] ?? '';
  if (!/[.:]/.test(registry) && registry !== 'localhost') return undefined;
  try {
    // Two more components: what is left then is the scope, whatever Docker Hub does to names of one component.
    const { tag, ...name } = parseImageRef(`${text}/x/x`);
    return tag === 'latest' ? formatImageRef(name).slice(0, -'/x/x'.length) : undefined;
  } catch (error) {
    if (error instanceof TcfError && error.code === 'reference.malformed') return undefined;
    throw error;
  }
}

/** Whole path components only: the scope `quay.io/acme` covers `quay.io/acme/app`, never `quay.io/acme-evil/app`. */
export function isInScope(scope: string, image: Name): boolean {
  return `${image.registry}/${image.repository}/`.startsWith(`${scope}/`);
}

/** The longest scope that covers the image. Scopes of a policy are distinct, so there is at most one. */
export function mostSpecific<Scope extends { readonly match: string }>(
  scopes: readonly Scope[],
  image: Name,
): Scope | undefined {
  return scopes
    .filter((scope) => isInScope(scope.match, image))
    .reduce<Scope | undefined>(
      (best, scope) => (best === undefined || scope.match.length > best.match.length ? scope : best),
      undefined,
    );
}
