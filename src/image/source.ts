import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Platform } from '../oci/manifest.ts';
import type { ImageSource, OpenImage, PlacedImageName, SourceHost } from './contract.ts';
import { containersStorage } from './from-containers-storage.ts';
import { dirSource } from './from-dir.ts';
import { dockerArchive } from './from-docker-archive.ts';
import { dockerDaemon } from './from-docker-daemon.ts';
import { ociLayout } from './from-oci.ts';
import { ociArchive } from './from-oci-archive.ts';
import { registrySource } from './from-registry.ts';

/** Every place that images are read from. A new one is one file, and one line here. */
const sources: readonly ImageSource[] = [
  registrySource,
  ociLayout,
  ociArchive,
  dockerArchive,
  dirSource,
  containersStorage,
  dockerDaemon,
];

/** A name without transport: each command has its own idea where to look first. */
export interface BareImageName extends PlacedImageName {
  readonly transport: 'bare';
  readonly name: string;
}

/** An image as the user named it. */
export type ImageName = BareImageName | PlacedImageName;

const forms = sources.map(({ form }) => form).join(', ');
/** Transports of containers-transports(5) that we do not read. */
const others = /^(?:atomic|ostree|sif|tarball):/;

/** @throws TcfError `image.transport` (exit 3) for a transport that is unknown or lacks its name. */
export function parseImageName(text: string): ImageName {
  const source = sources.find(({ transport }) => text.startsWith(`${transport}:`));
  const placed = source?.parse(text.slice(source.transport.length + 1), text);
  if (placed !== undefined) {
    return placed;
  }
  if (source === undefined && !others.test(text) && !text.includes('://')) {
    return bareName(text);
  }
  throw askedWrongly('image.transport', `tcf reads no image from ${quoted(text)}`, {
    hint: `write ${forms}`,
  });
}

export function isBareName(name: ImageName): name is BareImageName {
  return name.transport === 'bare';
}

function bareName(name: string): BareImageName {
  if (name === '') {
    throw askedWrongly('image.transport', 'no image is named', { hint: `write ${forms}` });
  }
  return { transport: 'bare', name };
}

/**
 * Opens an image wherever it lies.
 *
 * @throws TcfError (exit 2 or 3) as the source does; `image.transport` (exit 3) for a bare name.
 */
export async function openNamedImage(
  name: ImageName,
  platform: Platform,
  host: SourceHost,
): Promise<OpenImage> {
  const source = sources.find(({ transport }) => transport === name.transport);
  if (source !== undefined) {
    return await source.open(name, platform, host);
  }
  throw askedWrongly(
    'image.transport',
    `an image of the transport ${quoted(name.transport)} cannot be opened`,
    {
      hint: `write ${forms}`,
    },
  );
}
