import { join } from 'node:path';
import { compact } from '../base/compact.ts';
import { cannotTell } from '../base/error.ts';
import { type JsonLimits, jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { readSmall } from './files.ts';
import {
  type LocalStore,
  readImages,
  type StorageDriver,
  type StoredImage,
  storageDrivers,
} from './storage-files.ts';

/** What the local store knows of the image that a container was made from. */
export interface StoredContainer {
  /** The image id: the digest of its configuration. */
  readonly config: Digest;
  /** Digests by which a registry may know it: of the index it was pulled by and of its manifest. */
  readonly manifests: readonly Digest[];
  /**
   * The name that was typed, as podman or CRI-O wrote it down. It may be an id, or a name that leads
   * elsewhere by now.
   */
  readonly typed?: string;
  /** The names that the store has for the image. */
  readonly names: readonly string[];
}

/** A host may have run a hundred thousand containers; each entry has about a kilobyte. */
const listLimits: JsonLimits = { maxBytes: 128 * 1024 * 1024, maxDepth: jsonLimits.small.maxDepth };
const maxContainers = 200_000;

/**
 * Finds the image of a container in the store that holds its root file system: by the container's own id and
 * the layer that is its root, so that nothing an image says about itself takes part (labels and annotations
 * are the image's words, A-117).
 *
 * @param root `root.path` of the container's config.json: `<graphroot>/overlay/<layer>/merged` or
 *   `<graphroot>/vfs/dir/<layer>`.
 * @throws TcfError `container.rootfs`, `container.unknown`, `container.image` (exit 2): then the container
 *   runs something else than an image of this store.
 */
export async function findStoredContainer(id: string, root: string): Promise<StoredContainer> {
  const found = parseRoot(root);
  if (found === undefined) {
    throw cannotTell(
      'container.rootfs',
      `the root file system of the container is ${quoted(root)}, no image of containers-storage`,
      { hint: 'a file system on disk has no signature; run an image' },
    );
  }
  const { layer, store } = found;
  const container = await findEntry(store, id, layer);
  const image = (await readImages(store)).find((candidate) => candidate.id === container.image);
  const config = `sha256:${container.image}`;
  if (image === undefined || !isDigest(config)) {
    throw cannotTell(
      'container.image',
      `the store has lost the image ${quoted(container.image)} of the container`,
    );
  }
  return compact({
    config,
    manifests: manifestsOf(image),
    typed: container.typed,
    names: image.names,
  });
}

const rootForms: Readonly<Record<StorageDriver, RegExp>> = {
  overlay: /^(\/.+)\/overlay\/([0-9a-f]{64})\/merged$/,
  vfs: /^(\/.+)\/vfs\/dir\/([0-9a-f]{64})$/,
};

function parseRoot(root: string): { readonly store: LocalStore; readonly layer: string } | undefined {
  for (const driver of storageDrivers) {
    const [, graphRoot, layer] = rootForms[driver].exec(root) ?? [];
    if (graphRoot !== undefined && layer !== undefined) {
      return { store: { graphRoot, driver }, layer };
    }
  }
  return undefined;
}

interface Entry {
  readonly image: string;
  readonly typed?: string;
}

/** containers/storage, containers.go: containers of `--rm` stand in the volatile list. */
async function findEntry({ driver, graphRoot }: LocalStore, id: string, layer: string): Promise<Entry> {
  for (const list of ['containers.json', 'volatile-containers.json']) {
    const path = join(graphRoot, `${driver}-containers`, list);
    const bytes = await readSmall(path, listLimits.maxBytes);
    if (bytes === undefined) {
      continue;
    }
    const entries = new Shape(parseJson(bytes, quoted(path), listLimits), path).list(maxContainers);
    const entry = entries.find((candidate) => candidate.get('id').value === id);
    if (entry === undefined) {
      continue;
    }
    if (entry.get('layer').value !== layer) {
      throw cannotTell(
        'container.rootfs',
        `the root file system of the container ${quoted(id)} is not its own`,
      );
    }
    const typed = typedName(entry);
    return compact({ image: entry.get('image').string(100), typed });
  }
  throw cannotTell('container.unknown', `the store ${quoted(graphRoot)} has no container ${quoted(id)}`);
}

/** libpod and CRI-O keep JSON of their own as text in `metadata`. */
function typedName(entry: Shape): string | undefined {
  const text = entry.get('metadata').value;
  if (typeof text !== 'string' || text === '') {
    return undefined;
  }
  const metadata = new Shape(parseJson(text, `${entry.path}.metadata`), `${entry.path}.metadata`);
  const name = metadata.get('image-name').value;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

function manifestsOf({ digest, digests, names }: StoredImage): readonly Digest[] {
  const ofNames = names.map((name) => name.split('@')[1] ?? '');
  const ofData = Object.entries(digests)
    .filter(([key]) => key.startsWith('manifest'))
    .map(([, value]) => value);
  return [...new Set([...ofNames, digest ?? '', ...ofData])].filter(isDigest);
}
