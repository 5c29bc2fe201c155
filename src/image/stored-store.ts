import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bytes, bytesOf } from '../base/bytes.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { checkContent, type Digest, digestOf, hexOf, parseDigest } from '../oci/digest.ts';
import { type Descriptor, parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { Fetched, Registry } from '../registry/contract.ts';
import { replaceFile } from '../system/atomic.ts';
import { isMissing } from '../system/errors.ts';
import { readSmall } from './files.ts';
import { type LocalStore, readBigData, readImages, type StoredImage } from './storage-files.ts';
import { findImage, hasImage } from './storage-names.ts';

/** What signing and verifying need of a place that is not a registry. */
export type SignedStore = Pick<Registry, 'attach' | 'blob' | 'manifest' | 'pushBlob' | 'referrers'>;

/** An image of podman's store that never was in a registry, with what was signed about it on this machine. */
export interface StoredSignedImage {
  /** `localhost/NAME`, by which policies judge it. */
  readonly ref: ImageRef;
  readonly named: Fetched;
  readonly store: SignedStore;
}

/** A bundle has some ten KiB, and an SBOM attestation up to 16 MiB (formats.md). */
const maxSigned = 32 * 1024 * 1024;
const maxReferrers = 1000;

/**
 * Opens an image of the local store as a registry is asked: its manifest and configuration lie in the store,
 * and what was signed about it in a folder of the user. Nothing in that folder is believed: signatures are
 * proven, and belong to the digest of the manifest.
 *
 * @param folder where the signatures lie; made when something is signed.
 * @throws TcfError `image.local` (exit 3) for a name that means an image of a registry; `storage.image`,
 *   `image.missing` (exit 2).
 */
export async function openStoredImage(
  local: LocalStore,
  name: string,
  folder: string,
): Promise<StoredSignedImage> {
  const { holder, image } = await findIn(local, name);
  const ref = localName(image, name);
  const what = quoted(`containers-storage:${name}`);
  const bytes = await readBigData(holder, image, 'manifest', jsonLimits.manifest.maxBytes);
  if (bytes === undefined) {
    throw cannotTell('storage.image', `${what} has no manifest that could be signed`);
  }
  const digest = digestOf(bytes);
  if (image.digests['manifest'] !== digest) {
    throw cannotTell('storage.image', `the manifest of ${what} is ${digest}, not what the store says`);
  }
  const document = parseManifest(bytes, undefined, `the manifest of ${what}`);
  if (document.kind === 'index') {
    throw cannotTell('storage.image', `${what} is an index`, { hint: 'name the image of one platform' });
  }
  const named: Fetched = {
    bytes,
    document,
    descriptor: { mediaType: document.mediaType ?? mediaTypes.manifest, digest, size: bytes.length },
  };
  const ofStore = async (wanted: Digest) =>
    wanted === document.config.digest
      ? await readBigData(holder, image, wanted, jsonLimits.small.maxBytes)
      : undefined;
  return { ref, named, store: openFolder(join(folder, hexOf(digest)), named, ofStore) };
}

/** Whether anything was signed about a manifest on this machine. */
export async function hasLocalSignatures(folder: string, manifest: Digest): Promise<boolean> {
  return (await filesOf(join(folder, hexOf(manifest), 'referrers'))).length > 0;
}

async function findIn(
  local: LocalStore,
  name: string,
): Promise<{ readonly holder: LocalStore; readonly image: StoredImage }> {
  for (const holder of local.additional ?? []) {
    const images = await readImages(holder);
    if (!hasImage(await readImages(local), name) && hasImage(images, name)) {
      return { holder, image: findImage(images, name).image };
    }
  }
  return { holder: local, image: findImage(await readImages(local), name).image };
}

/** Only a name that leads to no registry: an image of another name is asked of its registry. */
function localName({ names }: StoredImage, asked: string): ImageRef {
  // A name with a host in it means the image of that registry, whatever else it is called here.
  const isForeign = /^[^/]*[.:][^/]*\//.test(asked);
  const own = isForeign ? [] : names.filter((name) => name.startsWith('localhost/'));
  const bare = asked.replace(/@.*$/, '');
  const tagged = /:[^/]*$/.test(bare) ? bare : `${bare}:latest`;
  const wanted = own.find(
    (name) => name === tagged || name.endsWith(`/${tagged}`) || name.startsWith(`${bare}:`),
  );
  const [name = wanted] = wanted === undefined ? own : [wanted];
  if (name !== undefined) {
    return parseImageRef(name);
  }
  throw askedWrongly(
    'image.local',
    `${quoted(asked)} has no name below localhost/, which is what policies call local images`,
    {
      hint: `podman tag ${asked} localhost/NAME; an image of a registry is signed there`,
    },
  );
}

function openFolder(
  folder: string,
  named: Fetched,
  ofStore: (digest: Digest) => Promise<Uint8Array | undefined>,
): SignedStore {
  const blobs = join(folder, 'blobs');
  const referrers = join(folder, 'referrers');
  const read = async (path: string, digest: Digest, what: string): Promise<Uint8Array | undefined> => {
    const bytes = await readSmall(join(path, hexOf(digest)), maxSigned);
    if (bytes !== undefined) {
      checkContent(bytes, digest, what);
    }
    return bytes;
  };
  const write = async (path: string, bytes: Uint8Array): Promise<Digest> => {
    const digest = digestOf(bytes);
    await mkdir(path, { recursive: true, mode: 0o700 });
    await replaceFile(join(path, hexOf(digest)), bytes, 0o600);
    return digest;
  };
  async function* blob({ digest }: Descriptor): Bytes {
    const what = `the blob ${digest}`;
    const bytes = (await read(blobs, digest, what)) ?? (await ofStore(digest));
    if (bytes === undefined) {
      throw cannotTell('storage.image', `this machine has lost ${what}`);
    }
    checkContent(bytes, digest, what);
    yield* bytesOf(bytes);
  }
  const referrer = async (digest: Digest): Promise<Fetched | undefined> => {
    const bytes = await read(referrers, digest, `the referrer ${digest}`);
    if (bytes === undefined) {
      return undefined;
    }
    const document = parseManifest(bytes, mediaTypes.manifest, `the referrer ${digest}`);
    return { bytes, document, descriptor: { mediaType: mediaTypes.manifest, digest, size: bytes.length } };
  };
  return {
    manifest: async (_, wanted) =>
      wanted === named.descriptor.digest || !wanted.includes(':')
        ? named
        : await referrer(parseDigest(wanted)),
    blob: (_, descriptor) => blob(descriptor),
    pushBlob: async (_, mediaType, bytes) => ({
      mediaType,
      digest: await write(blobs, bytes),
      size: bytes.length,
    }),
    attach: async (_, manifest) => ({
      mediaType: mediaTypes.manifest,
      digest: await write(referrers, manifest),
      size: manifest.length,
    }),
    referrers: async () => {
      const found = await Promise.all(
        (await filesOf(referrers)).map((hex) => referrer(parseDigest(`sha256:${hex}`))),
      );
      return found.flatMap((one) => (one === undefined ? [] : one.descriptor));
    },
  };
}

async function filesOf(folder: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
    if (names.length > maxReferrers) {
      throw cannotTell('storage.image', `${quoted(folder)} has more than ${maxReferrers} signatures`);
    }
    return names;
  } catch (error) {
    if (isMissing(error)) {
      return [];
    }
    throw error;
  }
}
