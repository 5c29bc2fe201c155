import { type Bytes, collect } from '../base/bytes.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { byCodeUnit, printable, quoted } from '../base/text.ts';
import { parseImageConfig } from '../oci/config.ts';
import { algorithmOf, checked, hexOf } from '../oci/digest.ts';
import { type Descriptor, type Index, type Manifest, type Platform, parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { OpenImage } from './contract.ts';
import { platformOf, toLayers } from './layers.ts';
import { choosePlatform } from './platform.ts';

/** The files of an OCI image layout, wherever they lie. */
export interface LayoutFiles extends AsyncDisposable {
  /** A file in one piece; `undefined` where there is none. */
  small(path: string, limit: number): Promise<Uint8Array | undefined>;
  /** A file as a stream. @throws TcfError (exit 2) where there is none. */
  stream(path: string): Bytes;
}

export const refName = 'org.opencontainers.image.ref.name';
/** The fallback tag of referrers, and the tags of cosign 2. */
const companionTag = /^sha256-[0-9a-f]{64}(?:\.(?:sig|att|sbom))?$/;
/** `oci-layout` is 30 bytes long. */
const markerLimit = 4096;
const configTypes: readonly string[] = [mediaTypes.config, mediaTypes.dockerConfig];
/** An index in the layout's index.json is how multi-platform images are stored; one more is a build farm's. */
const maxNesting = 2;

/**
 * Opens an image of an OCI image layout (image specification, "image-layout.md"). `reference` is the name in the annotation
 * `org.opencontainers.image.ref.name`, or `@N` for the entry with that number.
 *
 * @throws TcfError (exit 2): not a layout, no such image, content that is not what its descriptor says.
 */
export async function openLayout(
  files: LayoutFiles,
  reference: string | undefined,
  platform: Platform,
  what: string,
): Promise<OpenImage> {
  const named = chooseEntry(await readLayoutIndex(files, what), reference, platform, what);
  const { descriptor, manifest } = await chooseManifest(files, named, platform, what);
  if (!configTypes.includes(manifest.config.mediaType)) {
    throw cannotTell(
      'image.config',
      `${what} is no image: its config is ${quoted(manifest.config.mediaType)}`,
    );
  }
  const configName = `the configuration of ${what}`;
  const configBytes = await collect(
    layoutBlob(files, manifest.config, configName),
    jsonLimits.small.maxBytes,
    configName,
  );
  const config = parseImageConfig(configBytes, configName);
  const stored = manifest.layers.map((layer) => ({
    mediaType: layer.mediaType,
    open: () => layoutBlob(files, layer, `blob ${layer.digest} of ${what}`),
  }));
  return {
    manifestDigest: descriptor.digest,
    ...(named.digest === descriptor.digest ? {} : { indexDigest: named.digest }),
    annotations: manifest.annotations,
    configDigest: manifest.config.digest,
    config,
    platform: platformOf(config),
    layers: toLayers(config, stored, what),
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

/** @throws TcfError `image.layout` (exit 2) for what is no OCI image layout. */
export async function readLayoutIndex(files: LayoutFiles, what: string): Promise<Index> {
  await checkMarker(files, what);
  const bytes = await files.small('index.json', jsonLimits.manifest.maxBytes);
  if (bytes === undefined) throw cannotTell('image.layout', `${what} has no index.json`);
  const index = parseManifest(bytes, undefined, `index.json of ${what}`);
  if (index.kind !== 'index') throw cannotTell('image.layout', `index.json of ${what} is no index`);
  return index;
}

async function checkMarker(files: LayoutFiles, what: string): Promise<void> {
  const bytes = await files.small('oci-layout', markerLimit);
  if (bytes === undefined) {
    throw cannotTell('image.layout', `${what} is no OCI image layout: it has no file oci-layout`);
  }
  const marker = new Shape(parseJson(bytes, `oci-layout of ${what}`), 'oci-layout');
  const version = marker.get('imageLayoutVersion').string(100);
  if (version !== '1.0.0') {
    throw cannotTell(
      'image.layout',
      `${what} is an OCI image layout of version ${quoted(version)}, not 1.0.0`,
    );
  }
}

/** Blobs are found by their digest, so a name in an index never becomes a path. */
export function layoutBlob(files: LayoutFiles, { digest, size }: Descriptor, what: string): Bytes {
  return checked(files.stream(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`), digest, size, what);
}

/** The entry of `index.json` that is meant. @throws TcfError `image.missing` (exit 2), `image.ambiguous` (exit 3). */
export function chooseEntry(
  index: Index,
  reference: string | undefined,
  platform: Platform,
  what: string,
): Descriptor {
  const position = /^@(\d{1,6})$/.exec(reference ?? '')?.[1];
  const fitting =
    position === undefined
      ? index.manifests.filter((entry) =>
          reference === undefined ? !isCompanion(entry) : isNamed(entry, reference),
        )
      : index.manifests.slice(Number(position), Number(position) + 1);
  const [first, ...more] = fitting;
  if (first === undefined) {
    throw cannotTell('image.missing', `${what} holds no image of that name`, { hint: namesIn(index) });
  }
  if (more.length === 0) return first;
  if (fitting.every((entry) => entry.platform !== undefined)) {
    return choosePlatform({ ...index, manifests: fitting }, platform, what);
  }
  throw askedWrongly('image.ambiguous', `${what} holds ${fitting.length} images that fit`, {
    hint: namesIn(index),
  });
}

/** What was said about an image and lies beside it, as `tcf copy` and `oras` list it: never what is meant where nothing was named. */
function isCompanion({ annotations, artifactType }: Descriptor): boolean {
  return artifactType !== undefined || companionTag.test(annotations?.[refName] ?? '');
}

function isNamed({ annotations }: Descriptor, reference: string): boolean {
  return annotations?.[refName] === reference || annotations?.['io.containerd.image.name'] === reference;
}

function namesIn({ manifests }: Index): string {
  const names = manifests
    .filter((entry) => !isCompanion(entry))
    .flatMap(({ annotations }) => annotations?.[refName] ?? []);
  const list = [...new Set(names)]
    .sort(byCodeUnit)
    .slice(0, 20)
    .map((name) => printable(name, 100));
  return list.length === 0
    ? 'choose one by its number: append :@0, :@1 and so on'
    : `append one of its names: :${list.join(', :')}`;
}

async function chooseManifest(
  files: LayoutFiles,
  named: Descriptor,
  platform: Platform,
  what: string,
): Promise<{ readonly descriptor: Descriptor; readonly manifest: Manifest }> {
  let descriptor = named;
  for (let nesting = 0; nesting <= maxNesting; nesting += 1) {
    const name = `manifest ${descriptor.digest} of ${what}`;
    const bytes = await collect(layoutBlob(files, descriptor, name), jsonLimits.manifest.maxBytes, name);
    const document = parseManifest(bytes, descriptor.mediaType, name);
    if (document.kind === 'manifest') return { descriptor, manifest: document };
    descriptor = choosePlatform(document, platform, what);
  }
  throw cannotTell('image.nesting', `${what} is an index in an index in an index`);
}
