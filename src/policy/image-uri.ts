import { compact } from '../base/compact.ts';
import { TcfError } from '../base/error.ts';
import { readPurl } from '../bom/purl.ts';
import { type ImageRef, parseImageRef } from '../oci/reference.ts';

/** An image as statements name it. */
export interface ImageUri {
  readonly name: string;
  /** As written. */
  readonly digest?: string;
}

/**
 * BuildKit writes `pkg:docker/NAME@TAG?digest=sha256:...`; others `pkg:oci/...`, `docker-image://`,
 * `docker://` or `oci://`. `undefined` where the URI does not name an image.
 */
export function parseImageUri(uri: string): ImageUri | undefined {
  const [, plain] = /^(?:docker|docker-image|oci):\/\/(.+)$/.exec(uri) ?? [];
  if (plain !== undefined) {
    const [name = '', digest] = plain.split('@');
    return compact({ name: name.replace(/:[^:/]*$/, ''), digest });
  }
  if (!/^pkg:(?:docker|oci)\//i.test(uri)) {
    return undefined;
  }
  const parts = readPurl(uri);
  if (parts === undefined) {
    return { name: uri };
  }
  const { name, namespace, qualifiers, type, version } = parts;
  const path = namespace === undefined ? name : `${namespace}/${name}`;
  const digest = qualifiers?.['digest'] ?? version;
  const home = qualifiers?.['repository_url'];
  const within = (root: string) => (type === 'oci' ? root : `${root}/${path}`);
  return compact({
    name: home === undefined ? path : within(home),
    digest,
  });
}

/**
 * As every other name of an image is read, so that Docker Hub has one spelling. `undefined` where it
 * cannot be read.
 */
export function readImageName(text: string): ImageRef | undefined {
  try {
    return parseImageRef(text);
  } catch (error) {
    if (error instanceof TcfError) {
      return undefined;
    }
    throw error;
  }
}
