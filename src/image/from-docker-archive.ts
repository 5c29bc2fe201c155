import { resolve } from 'node:path';
import { compact } from '../base/compact.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { printable, quoted } from '../base/text.ts';
import { parseImageConfig } from '../oci/config.ts';
import { digestOf } from '../oci/digest.ts';
import { manifestLimits } from '../oci/manifest.ts';
import { formatImageRef, type ImageRef, parseImageRef } from '../oci/reference.ts';
import { type Archive, openArchive } from './archive.ts';
import type { ImageSource, OpenImage, PlacedImageName } from './contract.ts';
import { platformOf, toLayers } from './layers.ts';
import { parsePathName } from './path-name.ts';

/** One image in `manifest.json`. */
interface SavedImage {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

export interface DockerArchiveName extends PlacedImageName {
  readonly transport: 'docker-archive';
  readonly file: string;
  readonly reference?: string;
}

/**
 * A file that `docker save`, `podman save` or skopeo wrote, compressed or not. The reference is one of its
 * names, or `@N` for its number. Layers may be links to other members and stand in any order; newer archives
 * are OCI layouts as well, and are read by their manifest.json all the same. The archive has no manifest that
 * a registry would know.
 */
export const dockerArchive: ImageSource<DockerArchiveName> = {
  transport: 'docker-archive',
  form: 'docker-archive:FILE',
  parse(rest, text) {
    const { path, ...named } = parsePathName(rest, text);
    return { transport: 'docker-archive', file: path, ...named };
  },
  async open({ file, reference }, _, host) {
    const path = resolve(host.cwd, file);
    const what = quoted(`docker-archive:${path}`);
    const archive = await openArchive(path, what);
    try {
      return await openSaved(archive, reference, what);
    } catch (error) {
      await archive[Symbol.asyncDispose]();
      throw error;
    }
  },
};

/** Opens an image of an archive that is open already, and closes the archive with it. */
export async function openSaved(
  archive: Archive,
  reference: string | undefined,
  what: string,
): Promise<OpenImage> {
  const manifest = await archive.small('manifest.json', jsonLimits.manifest.maxBytes);
  if (manifest === undefined) {
    throw cannotTell('image.archive', `${what} is not a docker archive: it has no manifest.json`, {
      hint: (await archive.small('oci-layout', 4096))
        ? 'write oci-archive: instead'
        : 'is it an image at all?',
    });
  }
  const images = new Shape(parseJson(manifest, 'manifest.json', jsonLimits.manifest), 'manifest.json')
    .list(manifestLimits.manifests)
    .map(readSaved);
  const { image, ref } = choose(images, reference, what);
  const bytes = await archive.small(image.config, jsonLimits.small.maxBytes);
  if (bytes === undefined) {
    throw cannotTell('image.archive', `${what} has no configuration ${quoted(image.config)}`);
  }
  const config = parseImageConfig(bytes, `the configuration of ${what}`);
  const stored = image.layers.map((path) => {
    const file = archive.locate(path);
    const size = archive.sizeOf(path);
    const position = archive.positionOf?.(path);
    return compact({ mediaType: '', open: () => archive.stream(path), size, file, position });
  });
  return {
    ...(ref === undefined ? {} : { repository: `${ref.registry}/${ref.repository}` }),
    configDigest: digestOf(bytes),
    config,
    platform: platformOf(config),
    layers: toLayers(config, stored, what),
    [Symbol.asyncDispose]: () => archive[Symbol.asyncDispose](),
  };
}

function readSaved(shape: Shape): SavedImage {
  const list = (key: string): readonly string[] => {
    const member = shape.get(key);
    return member.missing || member.value === null
      ? []
      : member.list(manifestLimits.layers).map((item) => item.string(4096));
  };
  return { config: shape.get('Config').string(4096), names: list('RepoTags'), layers: list('Layers') };
}

function choose(
  images: readonly SavedImage[],
  reference: string | undefined,
  what: string,
): { readonly image: SavedImage; readonly ref?: ImageRef } {
  const position = /^@(\d{1,6})$/.exec(reference ?? '')?.[1];
  const ref = reference === undefined || position !== undefined ? undefined : parseImageRef(reference);
  const full = ref && formatImageRef(ref);
  const fitting =
    position === undefined
      ? images.filter(({ names }) => full === undefined || names.some((name) => fullName(name) === full))
      : images.slice(Number(position), Number(position) + 1);
  const [image, ...more] = distinct(fitting);
  const names = images
    .flatMap((saved) => saved.names)
    .slice(0, 20)
    .map((name) => printable(name, 100));
  const hint = names.length === 0 ? 'append :@0, :@1 and so on' : `append one of: :${names.join(', :')}`;
  if (image === undefined) {
    throw cannotTell('image.missing', `${what} holds no image of that name`, { hint });
  }
  if (more.length > 0) {
    throw askedWrongly('image.ambiguous', `${what} holds ${fitting.length} images`, { hint });
  }
  const own = image.names.length === 1 ? image.names[0] : undefined;
  const known = ref ?? (own !== undefined && fullName(own) !== undefined ? parseImageRef(own) : undefined);
  return compact({ image, ref: known });
}

/** One image that stands there once for each of its names. */
function distinct(images: readonly SavedImage[]): readonly SavedImage[] {
  const groups = Map.groupBy(images, ({ config, layers }) => JSON.stringify([config, layers]));
  return [...groups.values()].flatMap(([first, ...more]) =>
    first === undefined
      ? []
      : [more.length === 0 ? first : { ...first, names: [first, ...more].flatMap(({ names }) => names) }],
  );
}

const simpleName = /^[a-zA-Z0-9][\w.:/-]*$/;

/** In full; `undefined` for what is no name. */
function fullName(name: string): string | undefined {
  if (!simpleName.test(name)) {
    return undefined;
  }
  return formatImageRef(parseImageRef(name));
}
