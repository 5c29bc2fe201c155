import { askedWrongly, cannotTell } from '../base/error.ts';
import { printable, quoted } from '../base/text.ts';
import { parseImageRef } from '../oci/reference.ts';
import type { StoredImage } from './storage-files.ts';

export interface FoundImage {
  readonly image: StoredImage;
  /** `registry/repository` of the name that was found. */
  readonly repository?: string;
}

/**
 * Finds an image by what podman takes: `localhost/name`, a full name, a short one (local images first, then
 * Docker Hub's, then whatever registry has an image of that path), a name with digest, an id or the beginning
 * of one, `@ID`.
 *
 * @throws TcfError `image.ambiguous` (exit 3) for a short name or id that fits several; `image.missing` (exit
 *   2).
 */
export function findImage(images: readonly StoredImage[], asked: string): FoundImage {
  const found = byName(images, asked) ?? byId(images, asked.replace(/^@/, ''));
  if (found !== undefined) {
    return found;
  }
  throw cannotTell('image.missing', `the local store has no image ${quoted(asked)}`, {
    hint: 'podman images lists what there is; docker://REF asks the registry',
  });
}

export function hasImage(images: readonly StoredImage[], asked: string): boolean {
  return byName(images, asked) !== undefined || byId(images, asked.replace(/^@/, '')) !== undefined;
}

function byId(images: readonly StoredImage[], asked: string): FoundImage | undefined {
  const prefix = asked.replace(/^sha256:/, '');
  // Shorter than podman prints it is a name; three digits are what docker and podman ask for at least.
  if (!/^[0-9a-f]{3,64}$/.test(prefix)) {
    return undefined;
  }
  const fitting = images.filter(({ id }) => id.startsWith(prefix));
  const [image, ...more] = fitting;
  if (image === undefined) {
    return undefined;
  }
  if (more.length > 0) {
    throw ambiguous(
      asked,
      fitting.map(({ id }) => id.slice(0, 16)),
    );
  }
  return withRepository(image, image.names.length === 1 ? image.names[0] : undefined);
}

function byName(images: readonly StoredImage[], asked: string): FoundImage | undefined {
  if (!/^[\w.:/@+-]+$/.test(asked) || asked.startsWith('@') || /^[0-9a-f]{64}$/.test(asked)) {
    return undefined;
  }
  if (asked.includes('@')) {
    return byDigest(images, asked);
  }
  const colon = asked.lastIndexOf(':');
  const tagged = colon > asked.lastIndexOf('/') ? asked : `${asked}:latest`;
  const exact = [tagged, `localhost/${tagged}`, `docker.io/library/${tagged}`, `docker.io/${tagged}`];
  for (const name of exact) {
    const image = images.find(({ names }) => names.includes(name));
    if (image !== undefined) {
      return withRepository(image, name);
    }
  }
  const fitting = images.flatMap((image) =>
    image.names.filter((name) => name.endsWith(`/${tagged}`)).map((name) => ({ image, name })),
  );
  if (new Set(fitting.map(({ image }) => image.id)).size > 1) {
    throw ambiguous(
      asked,
      fitting.map(({ name }) => name),
    );
  }
  const [only] = fitting;
  return only && withRepository(only.image, only.name);
}

/** A digest names the image manifest, or the index it was pulled by: podman keeps both beside the image. */
function byDigest(images: readonly StoredImage[], asked: string): FoundImage | undefined {
  const ref = parseImageRef(asked);
  const { registry, repository, digest } = ref;
  const prefixes = [`${registry}/${repository}`, `localhost/${repository}`];
  const image = images.find(
    ({ names, digest: own, digests }) =>
      (own === digest || Object.values(digests).includes(digest ?? '')) &&
      names.some((name) =>
        prefixes.some((prefix) => name.startsWith(`${prefix}:`) || name.startsWith(`${prefix}@`)),
      ),
  );
  return image && { image, repository: `${registry}/${repository}` };
}

function withRepository(image: StoredImage, name: string | undefined): FoundImage {
  if (name === undefined || !/^[\w.:/@+-]+$/.test(name)) {
    return { image };
  }
  const { registry, repository } = parseImageRef(name);
  return { image, repository: `${registry}/${repository}` };
}

function ambiguous(asked: string, fitting: readonly string[]): Error {
  const list = fitting
    .slice(0, 10)
    .map((name) => printable(name, 100))
    .join(', ');
  return askedWrongly('image.ambiguous', `${quoted(asked)} fits several images`, {
    hint: `write one of ${list}`,
  });
}
