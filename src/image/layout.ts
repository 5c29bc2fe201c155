import type { Bytes } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, checked, type Digest, hexOf } from '../oci/digest.ts';
import { type Descriptor, type Index, parseManifest } from '../oci/manifest.ts';
import type { FileRange } from './contract.ts';

/** The files of an OCI image layout, wherever they lie. */
export interface LayoutFiles extends AsyncDisposable {
  /** A file in one piece; `undefined` where there is none. */
  small(path: string, limit: number): Promise<Uint8Array | undefined>;
  /** A file as a stream. @throws TcfError (exit 2) where there is none. */
  stream(path: string): Bytes;
  /** Where the bytes of a file lie, if they lie in a file of this machine. */
  locate(path: string): FileRange | undefined;
}

/** `oci-layout` is 30 bytes long. */
const markerLimit = 4096;

/** @throws TcfError `image.layout` (exit 2) for what is no OCI image layout. */
export async function readLayoutIndex(files: LayoutFiles, what: string): Promise<Index> {
  await checkMarker(files, what);
  const bytes = await files.small('index.json', jsonLimits.manifest.maxBytes);
  if (bytes === undefined) {
    throw cannotTell('image.layout', `${what} has no index.json`);
  }
  const index = parseManifest(bytes, undefined, `index.json of ${what}`);
  if (index.kind !== 'index') {
    throw cannotTell('image.layout', `index.json of ${what} is not an index`);
  }
  return index;
}

async function checkMarker(files: LayoutFiles, what: string): Promise<void> {
  const bytes = await files.small('oci-layout', markerLimit);
  if (bytes === undefined) {
    throw cannotTell('image.layout', `${what} is not an OCI image layout: it has no file oci-layout`);
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
  return checked(files.stream(blobPath(digest)), digest, size, what);
}

export function locateBlob(
  files: LayoutFiles,
  { digest, size }: Descriptor,
  what: string,
): FileRange | undefined {
  const file = files.locate(blobPath(digest));
  return file && { ...file, content: { digest, size, what } };
}

function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}
