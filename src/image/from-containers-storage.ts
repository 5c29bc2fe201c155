import { join } from 'node:path';
import { compact } from '../base/compact.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { type ImageConfig, parseImageConfig } from '../oci/config.ts';
import { checkContent, type Digest, digestOf, isDigest } from '../oci/digest.ts';
import { type Manifest, manifestLimits, parseManifest } from '../oci/manifest.ts';
import type { ImageSource, OpenImage, PlacedImageName, SourceHost, StoredLayer } from './contract.ts';
import { isThere } from './files.ts';
import { platformOf, toLayers } from './layers.ts';
import { opaqueFolders } from './opaque-folders.ts';
import { localStoreOf } from './storage-conf.ts';
import {
  type LocalStore,
  localStoreAt,
  readBigData,
  readImages,
  readLayers,
  type StorageDriver,
  type StoredImage,
  type StoredLayerEntry,
  storageDrivers,
} from './storage-files.ts';
import { findImage, hasImage } from './storage-names.ts';
import { assembled, type SplitLayer } from './tar-split.ts';
import type { WalkedLayer } from './walked-layer.ts';

export interface StoredImageName extends PlacedImageName {
  readonly transport: 'containers-storage';
  /** Else where the machine or the user has its store. */
  readonly graphRoot?: string;
  readonly driver?: StorageDriver;
  readonly name: string;
}

export const containersStorage: ImageSource<StoredImageName> = {
  transport: 'containers-storage',
  form: 'containers-storage:REF',
  parse: (rest, text) => ({ transport: 'containers-storage', ...parseStoreName(rest, text) }),
  async open({ driver, graphRoot, name }, _, host) {
    const store = graphRoot === undefined ? await localStoreOf(host) : await localStoreAt(graphRoot, driver);
    return await openFromContainersStorage(store, name, host);
  },
};

/** `[DRIVER@GRAPHROOT[+RUNROOT][:OPTIONS]]NAME`. */
function parseStoreName(rest: string, text: string): Omit<StoredImageName, 'transport'> {
  const store = /^\[(?:([a-z]*)@)?(\/[^\]+:]*)(?:\+[^\]:]*)?(?::[^\]]*)?\](.*)$/s.exec(rest);
  const name = store === null ? rest : (store[3] ?? '');
  if (name === '' || name.startsWith('[')) {
    throw askedWrongly('image.transport', `${quoted(text)} names no image in a store`, {
      hint: 'write containers-storage:REF or containers-storage:[overlay@/graph/root+/run/root]REF',
    });
  }
  if (store === null) {
    return { name };
  }
  const [, named = '', graphRoot = ''] = store;
  const driver = storageDrivers.find((known) => known === named);
  if (driver === undefined && named !== '') {
    throw askedWrongly('image.transport', `tcf reads no store of the driver ${quoted(named)}`, {
      hint: `only ${storageDrivers.join(' and ')} keep the files of a layer where they can be found; skopeo can copy the image to oci:DIR`,
    });
  }
  return compact({ graphRoot, driver, name });
}

/**
 * Opens an image of podman's, buildah's and CRI-O's local store without podman and without its locks:
 * manifest and configuration are checked by digest. The layers are read where they lie, or with
 * `verifyLayers` put together again and checked by diffID, as long as the store takes to give them out.
 *
 * @throws TcfError (exit 2): no such store, no such image, content that is not what it was.
 */
export async function openFromContainersStorage(
  local: LocalStore,
  name: string,
  { verifyLayers = false }: Pick<SourceHost, 'verifyLayers'> = {},
): Promise<OpenImage> {
  const store = await holderOf(local, name);
  const { image, repository } = findImage(await readImages(store), name);
  const what = quoted(`containers-storage:${name}`);
  const manifest = await readManifest(store, image, what);
  const configDigest = manifest?.config ?? onlyConfig(image, what);
  const bytes = await readBigData(store, image, configDigest, jsonLimits.small.maxBytes);
  if (bytes === undefined) {
    throw cannotTell('storage.image', `${what} has lost its configuration`);
  }
  checkContent(bytes, configDigest, `the configuration of ${what}`);
  const config = parseImageConfig(bytes, `the configuration of ${what}`);
  const layers = toLayers(config, await storedLayers(local, image, config, verifyLayers, what), what);
  return compact({
    repository,
    ...(manifest === undefined ? {} : { manifestDigest: manifest.digest, annotations: manifest.annotations }),
    configDigest,
    config,
    platform: platformOf(config),
    layers,
    ...(verifyLayers ? {} : { isUnverified: true }),
    [Symbol.asyncDispose]: async () => {},
  });
}

/** Whether the store holds an image of that name. A store that is not there holds none. */
export async function isInContainersStorage(store: LocalStore, name: string): Promise<boolean> {
  return hasImage(await readImages(await holderOf(store, name)), name);
}

/** The store that has the image: this one, or one of those below it. */
async function holderOf(store: LocalStore, name: string): Promise<LocalStore> {
  for (const each of [store, ...(store.additional ?? [])]) {
    if (hasImage(await readImages(each), name)) {
      return each;
    }
  }
  return store;
}

async function readManifest(
  store: LocalStore,
  image: StoredImage,
  what: string,
): Promise<
  (Pick<Manifest, 'annotations'> & { readonly digest: Digest; readonly config: Digest }) | undefined
> {
  const bytes = await readBigData(store, image, 'manifest', jsonLimits.manifest.maxBytes);
  if (bytes === undefined) {
    return undefined;
  }
  const digest = digestOf(bytes);
  if (image.digests['manifest'] !== digest) {
    throw cannotTell('storage.image', `the manifest of ${what} is ${digest}, not what the store says`);
  }
  const manifest = parseManifest(bytes, undefined, `the manifest of ${what}`);
  if (manifest.kind === 'manifest') {
    return { digest, config: manifest.config.digest, annotations: manifest.annotations };
  }
  throw cannotTell('storage.image', `${what} is an index`, { hint: 'name the image of one platform' });
}

/**
 * An image that was loaded by an old tool has no manifest: its configuration is what else is named by its
 * digest.
 */
function onlyConfig(image: StoredImage, what: string): Digest {
  const [only, ...more] = Object.keys(image.digests).filter(isDigest);
  if (only !== undefined && more.length === 0) {
    return only;
  }
  throw cannotTell('storage.image', `${what} has no manifest and no single configuration`);
}

async function storedLayers(
  store: LocalStore,
  image: StoredImage,
  { diffIds }: ImageConfig,
  isVerified: boolean,
  what: string,
): Promise<readonly StoredLayer[]> {
  const layers = await readLayers(store);
  const chain: StoredLayerEntry[] = [];
  for (let id = image.layer; id !== undefined; ) {
    const entry = layers.get(id);
    if (entry === undefined) {
      throw cannotTell('storage.image', `${what} has lost its layer ${id}`);
    }
    chain.unshift(entry);
    // Also where parents go in a circle.
    if (chain.length > manifestLimits.layers) {
      throw cannotTell('storage.image', `${what} has more than ${manifestLimits.layers} layers`);
    }
    id = entry.parent;
  }
  const stored: StoredLayer[] = [];
  for (const [index, entry] of chain.entries()) {
    const { diffId } = entry;
    // What the store wrote down costs nothing to compare, and a chain of other layers is another image.
    if (diffId !== undefined && diffIds[index] !== undefined && diffId !== diffIds[index]) {
      throw cannotTell(
        'storage.image',
        `layer ${index} of ${what} is ${quoted(diffId)}, not ${diffIds[index]}`,
      );
    }
    const split = await splitLayer(entry, chain[index - 1], isVerified, what);
    stored.push(compact({ mediaType: '', size: entry.size, split, open: () => assembled(split) }));
  }
  return stored;
}

/** @throws TcfError `storage.layer` (exit 2) where the archive of a layer is gone that is to be checked. */
async function splitLayer(
  entry: StoredLayerEntry,
  below: StoredLayerEntry | undefined,
  isVerified: boolean,
  image: string,
): Promise<SplitLayer> {
  const { id, store } = entry;
  const file = join(store.graphRoot, `${store.driver}-layers`, `${id}.tar-split.gz`);
  const directory = folderOf(entry);
  const what = `layer ${id.slice(0, 12)} of ${image}`;
  if (await isThere(file)) {
    return { file, directory, what, isVerified };
  }
  if (isVerified) {
    throw cannotTell(
      'storage.layer',
      `the store kept no archive of ${what}, so its digest cannot be checked`,
      {
        hint: 'without --verify-layers the layer is read from its folder',
      },
    );
  }
  const walked: WalkedLayer =
    store.driver === 'vfs'
      ? compact({ driver: 'vfs', below: below && folderOf(below) })
      : compact({ driver: 'overlay', opaque: await opaqueFolders(directory) });
  return { file, directory, what, isVerified, walked };
}

function folderOf({ id, store: { driver, graphRoot } }: StoredLayerEntry): string {
  return join(graphRoot, ...(driver === 'overlay' ? ['overlay', id, 'diff'] : ['vfs/dir', id]));
}
