import { askedWrongly, cannotTell } from '../base/error.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { type Digest, isDigest, readDigest } from '../oci/digest.ts';
import { formatImageRef, parseImageRef } from '../oci/reference.ts';
import { openPackedArchive } from './archive.ts';
import type { ImageSource, PlacedImageName } from './contract.ts';
import { dockerDocument, dockerSocket, dockerStream } from './docker-api.ts';
import { openSaved } from './from-docker-archive.ts';

export interface DockerDaemonName extends PlacedImageName {
  readonly transport: 'docker-daemon';
  /** A name in full, or the id of an image. */
  readonly image: string;
}

/**
 * An image in the store of Docker, read as the archive that `docker save` would write, and never kept: Docker
 * sends it once for its table of contents and once for its layers.
 */
export const dockerDaemon: ImageSource<DockerDaemonName> = {
  transport: 'docker-daemon',
  form: 'docker-daemon:REF',
  parse(rest, text) {
    if (rest === '') {
      throw askedWrongly('image.transport', `${quoted(text)} names no image`);
    }
    const image = isDigest(rest) ? rest : formatImageRef(parseImageRef(rest));
    return { transport: 'docker-daemon', image };
  },
  async open({ image }, _, host) {
    const socket = dockerSocket(host.env);
    const what = quoted(`docker-daemon:${image}`);
    const id = await imageId(socket, image, what);
    // By its id from here on: a tag may be given to another image meanwhile.
    const archive = await openPackedArchive(
      () => dockerStream(socket, `/images/${id}/get`, what),
      async () => {},
      what,
    );
    try {
      const opened = await openSaved(archive, undefined, what);
      return isDigest(image) ? opened : { ...opened, repository: repositoryOf(image) };
    } catch (error) {
      await archive[Symbol.asyncDispose]();
      throw error;
    }
  },
};

async function imageId(socket: string, image: string, what: string): Promise<Digest> {
  const found = await dockerDocument(socket, `/images/${encodeURI(image)}/json`, what);
  if (found === undefined) {
    throw cannotTell('image.missing', `Docker has no image ${quoted(image)}`, {
      hint: '"docker images" lists what it has',
    });
  }
  return readDigest(new Shape(found, what).get('Id'));
}

function repositoryOf(image: string): string {
  const { registry, repository } = parseImageRef(image);
  return `${registry}/${repository}`;
}
