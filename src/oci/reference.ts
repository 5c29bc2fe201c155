import type { Branded } from '../base/brand.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { type Digest, isDigest } from './digest.ts';

/** `registry/repository[:tag][@digest]`, in full and canonical. */
export interface ImageRef {
  /** Host and port, lower case. Docker Hub is always `docker.io`. */
  readonly registry: string;
  /** Path components, lower case; `library/` is written out for Docker Hub. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

interface PinnedParts {
  readonly registry: string;
  readonly repository: string;
  readonly digest: Digest;
}

/** `registry/repository@digest`: a name that cannot move. Only a PinnedRef is ever pulled or started. */
export type PinnedRef = Branded<PinnedParts, 'PinnedRef'>;

// The grammar of distribution/reference. Names have at most 255 characters there.
const domain =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const repositoryPath = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const tagWord = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const maxName = 255;

/** The names that Docker Hub goes by. Compared whole: `xdocker.io` is somebody else. */
const dockerHub: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * Reads a reference as docker and podman do, with short names completed for Docker Hub (`alpine` is
 * `docker.io/library/alpine`); without tag and digest the tag is `latest`.
 *
 * @throws TcfError `reference.malformed` (exit 3).
 */
export function parseImageRef(text: string): ImageRef {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw wrong(text, 'an image id is not a name; write registry/repository@sha256:...');
  }
  const [named, digestText, ...more] = text.split('@');
  if (named === undefined || more.length > 0) {
    throw wrong(text);
  }
  if (digestText !== undefined && !isDigest(digestText)) {
    throw wrong(text, 'the part after "@" must be sha256: and 64 hex digits in lower case');
  }
  const colon = named.lastIndexOf(':');
  const tagged = colon > named.lastIndexOf('/');
  const name = tagged ? named.slice(0, colon) : named;
  const usual = digestText === undefined ? 'latest' : undefined;
  const tag = tagged ? named.slice(colon + 1) : usual;
  if (tag !== undefined && !tagWord.test(tag)) {
    throw wrong(text, 'a tag has 1 to 128 letters, digits, "_", "." and "-"');
  }

  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasDomain = /[.:]/.test(first) || first === 'localhost';
  const host = hasDomain ? first : 'docker.io';
  const path = hasDomain ? name.slice(slash + 1) : name;
  if (!domain.test(host) || !repositoryPath.test(path) || host.length + path.length >= maxName) {
    throw wrong(text, path === path.toLowerCase() ? undefined : 'repository names are lower case');
  }
  const registry = dockerHub.has(host.toLowerCase()) ? 'docker.io' : host.toLowerCase();
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  return compact({
    registry,
    repository,
    tag,
    ...(digestText === undefined ? {} : { digest: digestText as Digest }),
  });
}

function wrong(text: string, hint = 'write it in full: registry/repository:tag'): TcfError {
  return askedWrongly('reference.malformed', `cannot read ${quoted(text)} as an image reference`, { hint });
}

export function formatImageRef(ref: ImageRef): string {
  const tag = ref.tag === undefined ? '' : `:${ref.tag}`;
  const digest = ref.digest === undefined ? '' : `@${ref.digest}`;
  return `${ref.registry}/${ref.repository}${tag}${digest}`;
}

/**
 * The one place where a name becomes a digest that is kept: what was resolved is what is verified, pulled and
 * started.
 */
export function pin(ref: ImageRef, digest: Digest): PinnedRef {
  return { registry: ref.registry, repository: ref.repository, digest } as PinnedRef;
}

export function formatPinnedRef(ref: PinnedRef): string {
  return `${ref.registry}/${ref.repository}@${ref.digest}`;
}
