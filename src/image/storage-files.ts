import { join } from 'node:path';
import { encodeBase64, encodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { type JsonLimits, jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { type Digest, readDigest } from '../oci/digest.ts';
import { isThere, readSmall } from './files.ts';

/**
 * A build host may hold thousands of images; their lists are ours, but a limit keeps a broken file from
 * eating the memory.
 */
const listLimits: JsonLimits = { maxBytes: 256 * 1024 * 1024, maxDepth: jsonLimits.small.maxDepth };
const maxEntries = 200_000;

/**
 * The drivers that keep each layer in a folder where its files can be found: overlay what the layer changed,
 * vfs everything below it too.
 */
export type StorageDriver = 'overlay' | 'vfs';

export const storageDrivers: readonly StorageDriver[] = ['overlay', 'vfs'];

/** A store of containers/storage. */
export interface LocalStore {
  readonly graphRoot: string;
  readonly driver: StorageDriver;
  /**
   * Stores that are only read from, `additionalimagestores` of storage.conf: for images that this one has
   * not, and layers below its own.
   */
  readonly additional?: readonly LocalStore[];
}

/** The store in a folder, of the driver that has images there where none is named. */
export async function localStoreAt(graphRoot: string, named?: StorageDriver): Promise<LocalStore> {
  if (named !== undefined) {
    return { graphRoot, driver: named };
  }
  for (const driver of storageDrivers) {
    if (await isThere(imageList({ graphRoot, driver }))) {
      return { graphRoot, driver };
    }
  }
  return { graphRoot, driver: 'overlay' };
}

const imageList = ({ driver, graphRoot }: LocalStore): string =>
  join(graphRoot, `${driver}-images`, 'images.json');

/** An entry of `overlay-images/images.json` (containers/storage, images.go). */
export interface StoredImage {
  readonly id: string;
  readonly digest?: Digest;
  readonly names: readonly string[];
  /** Id of the topmost layer; none for an image without layers. */
  readonly layer?: string;
  /** Digests of what is kept beside it, by key: its manifests and its configuration. */
  readonly digests: Readonly<Record<string, string>>;
}

/** An entry of `overlay-layers/layers.json` (containers/storage, layers.go). */
export interface StoredLayerEntry {
  readonly id: string;
  readonly parent?: string;
  /** Of its archive without compression, as the store wrote it down. */
  readonly diffId?: string;
  /** Bytes of that archive, as the store wrote them down. */
  readonly size?: number;
  readonly store: LocalStore;
}

const idForm = /^[0-9a-f]{64}$/;

/** @throws TcfError `storage.malformed` or from the JSON reader (exit 2). */
export async function readImages(store: LocalStore): Promise<readonly StoredImage[]> {
  return (await readList(imageList(store))).map((shape) => {
    const digest = present(shape, 'digest');
    const layer = present(shape, 'layer');
    return {
      id: readId(shape.get('id')),
      ...(digest === undefined ? {} : { digest: readDigest(digest) }),
      names:
        present(shape, 'names')
          ?.list(10_000)
          .map((name) => name.string(1000)) ?? [],
      ...(layer === undefined ? {} : { layer: readId(layer) }),
      digests: present(shape, 'big-data-digests')?.strings() ?? {},
    };
  });
}

/** The layers of a store and of those below it, by id. */
export async function readLayers(store: LocalStore): Promise<ReadonlyMap<string, StoredLayerEntry>> {
  const layers = new Map<string, StoredLayerEntry>();
  for (const each of [...(store.additional ?? []).toReversed(), store]) {
    const folder = join(each.graphRoot, `${each.driver}-layers`);
    for (const name of ['layers.json', 'volatile-layers.json']) {
      for (const shape of await readList(join(folder, name))) {
        const id = readId(shape.get('id'));
        const parent = present(shape, 'parent');
        layers.set(id, {
          id,
          store: each,
          ...compact({
            parent: parent && readId(parent),
            diffId: present(shape, 'diff-digest')?.string(200),
            size: sizeIn(shape),
          }),
        });
      }
    }
  }
  return layers;
}

/** A hint for the order in which layers are read. */
function sizeIn(shape: Shape): number | undefined {
  const value = shape.optional('diff-size')?.value;
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Something that is kept beside an image; `undefined` where it is missing. */
export async function readBigData(
  { driver, graphRoot }: LocalStore,
  image: StoredImage,
  key: string,
  limit: number,
): Promise<Uint8Array | undefined> {
  // containers/storage, makeBigDataBaseName: a key that could be anything but a plain file name is written in
  // base64.
  const file = /^[0-9a-z]+$/.test(key) ? key : `=${encodeBase64(encodeUtf8(key))}`;
  return await readSmall(join(graphRoot, `${driver}-images`, image.id, file), limit);
}

async function readList(path: string): Promise<readonly Shape[]> {
  const bytes = await readSmall(path, listLimits.maxBytes);
  if (bytes === undefined) {
    return [];
  }
  return new Shape(parseJson(bytes, quoted(path), listLimits), path).list(maxEntries);
}

/** An id becomes part of a path, so it is 64 hex digits or nothing. */
function readId(shape: Shape): string {
  const id = shape.string(200);
  if (idForm.test(id)) {
    return id;
  }
  throw cannotTell('storage.malformed', `${shape.path} is not an id of 64 hex digits: ${quoted(id)}`);
}

function present(shape: Shape, key: string): Shape | undefined {
  const member = shape.get(key);
  return member.missing || member.value === null || member.value === '' ? undefined : member;
}
