import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Bytes, bytesOf, collect, encodeUtf8 } from '../base/bytes.ts';
import { compact } from '../base/compact.ts';
import { askedWrongly, cannotTell, reasonOf, TcfError } from '../base/error.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, checked, type Digest, hexOf } from '../oci/digest.ts';
import { type Descriptor, manifestLimits, parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import type { Fetched } from '../registry/contract.ts';
import type { CopyTarget } from '../registry/copy.ts';
import { createFile, replaceFile } from '../system/atomic.ts';
import { isTaken } from '../system/errors.ts';
import { fileBytes, openRegular, readSmall } from './files.ts';
import { layoutFiles } from './from-oci.ts';
import { layoutBlob, readLayoutIndex } from './layout.ts';
import { refName } from './layout-entry.ts';

/** Writers of `index.json` take a second at most; who waits longer waits for one that died. */
const lockTries = 100;
const lockPause = 50;

/** With the members that we do not know. */
type JsonObject = Readonly<Record<string, unknown>>;

/** An entry of `index.json`; `name` is its annotation `org.opencontainers.image.ref.name`. */
interface Entry {
  readonly descriptor: Descriptor;
  readonly name?: string;
}

/**
 * An OCI image layout as the target of a copy. Blobs are written beside their place and renamed; `index.json`
 * is replaced once, at the end, with all that others wrote into it in the meantime. `tag` becomes the name of
 * the image; without one its entry has no name.
 *
 * @throws TcfError `copy.target` (exit 3) for a folder that holds something else, `file.unwritable` (exit 3).
 */
export async function openLayoutWriter(directory: string, tag: string | undefined): Promise<CopyTarget> {
  const what = quoted(`oci:${directory}`);
  await prepare(directory, what);
  const pending: Entry[] = [];
  const files = layoutFiles(directory);
  const putManifest = async ({ bytes, descriptor }: Fetched): Promise<void> => {
    if (!(await holds(directory, descriptor))) {
      await writeBlob(directory, descriptor, checkedBytes(bytes, descriptor));
    }
  };
  return {
    manifest: async (name) => {
      const index = await readLayoutIndex(files, what);
      const entry = index.manifests.find(({ annotations }) => annotations?.[refName] === name);
      if (entry === undefined) {
        return undefined;
      }
      const bytes = await collect(layoutBlob(files, entry, name), jsonLimits.manifest.maxBytes, name);
      return { bytes, descriptor: entry, document: parseManifest(bytes, entry.mediaType, name) };
    },
    putBlob: async (blob, openBlob) => {
      if (await holds(directory, blob)) {
        return 'there';
      }
      await writeBlob(directory, blob, openBlob());
      return 'copied';
    },
    putManifest,
    attach: async (manifests) => {
      for (const manifest of manifests) {
        await putManifest(manifest);
        pending.push({ descriptor: referrerEntry(manifest) });
      }
    },
    tag: async (manifest, name) => {
      pending.push({ descriptor: plainEntry(manifest), name });
    },
    publish: async (image) => {
      pending.push(compact({ descriptor: plainEntry(image), name: tag }));
      await locked(directory, what, () => writeIndex(directory, pending, what));
    },
  };
}

/** What a layout consists of, half-made by somebody who begins at the same time, and nothing else. */
const partOfLayout = /^(?:blobs|index\.json|oci-layout|\.tcf\.lock|\.[0-9a-f-]{36}\.tmp)$/;

async function prepare(directory: string, what: string): Promise<void> {
  await written(directory, async () => {
    await mkdir(directory, { recursive: true });
    const there = await readdir(directory);
    if (!there.includes('oci-layout') && !there.every((name) => partOfLayout.test(name))) {
      throw askedWrongly('copy.target', `${what} is not an OCI image layout and not empty`, {
        hint: 'name a new folder, or one that holds a layout',
      });
    }
    await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
    await createFile(join(directory, 'index.json'), formatIndex({}, []));
    await createFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  });
  await readLayoutIndex(layoutFiles(directory), what);
}

function blobPath(directory: string, digest: Digest): string {
  return join(directory, 'blobs', algorithmOf(digest), hexOf(digest));
}

/** Whether the blob lies there whole: a disk that was full leaves halves, and other tools write in place. */
async function holds(directory: string, { digest, size }: Descriptor): Promise<boolean> {
  const path = blobPath(directory, digest);
  const handle = await openRegular(path);
  if (handle === undefined) {
    return false;
  }
  const actual = (await handle.stat()).size;
  await handle.close();
  if (actual !== size) {
    return false;
  }
  try {
    for await (const _ of checked(fileBytes(path), digest, size, quoted(path))) {
    }
    return true;
  } catch (error) {
    if (error instanceof TcfError && error.code.startsWith('content.')) {
      return false;
    }
    throw error;
  }
}

async function writeBlob(directory: string, { digest }: Descriptor, bytes: Bytes): Promise<void> {
  const path = blobPath(directory, digest);
  await written(directory, async () => {
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, bytes);
  });
}

function checkedBytes(bytes: Uint8Array, { digest, size }: Descriptor): Bytes {
  return checked(bytesOf(bytes), digest, size, `manifest ${digest}`);
}

/** What the system says about a folder of the user's choice. @throws TcfError `file.unwritable` (exit 3). */
async function written<T>(directory: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof TcfError || !(error instanceof Error) || !('syscall' in error)) {
      throw error;
    }
    throw askedWrongly('file.unwritable', `cannot write into ${quoted(directory)}: ${reasonOf(error)}`, {
      hint: 'check the folder and the room on its disk; index.json was not changed',
      cause: error,
    });
  }
}

function plainEntry({ descriptor: { mediaType, digest, size } }: Fetched): Descriptor {
  return { mediaType, digest, size };
}

/** With the type by which a reader of the layout tells it from an image. */
function referrerEntry(manifest: Fetched): Descriptor {
  const { document } = manifest;
  const artifactType =
    document.artifactType ?? (document.kind === 'manifest' ? document.config.mediaType : document.mediaType);
  return { ...plainEntry(manifest), artifactType };
}

async function writeIndex(directory: string, added: readonly Entry[], what: string): Promise<void> {
  const bytes = await readSmall(join(directory, 'index.json'), jsonLimits.manifest.maxBytes);
  if (bytes === undefined) {
    throw cannotTell('image.layout', `${what} has no index.json`);
  }
  const shape = new Shape(parseJson(bytes, 'index.json', jsonLimits.manifest), 'index.json');
  const standing: readonly JsonObject[] = shape
    .get('manifests')
    .list(manifestLimits.manifests)
    .map((entry) => entry.record());
  const entries = added.reduce(withEntry, standing);
  if (entries.length > manifestLimits.manifests) {
    throw cannotTell(
      'registry.limit',
      `index.json of ${what} would have more than ${manifestLimits.manifests} entries`,
      { hint: 'copy into another folder' },
    );
  }
  const text = encodeUtf8(formatIndex(shape.record(), entries));
  await written(directory, () => replaceFile(join(directory, 'index.json'), text));
}

/** A name moves; content without a name stands there once, and not at all beside its name. */
function withEntry(entries: readonly JsonObject[], { descriptor, name }: Entry): readonly JsonObject[] {
  const isSame = (entry: JsonObject) => entry['digest'] === descriptor.digest;
  if (name === undefined) {
    return entries.some(isSame) ? entries : [...entries, { ...descriptor }];
  }
  const others = entries.filter(
    (entry) => nameIn(entry) !== name && !(nameIn(entry) === undefined && isSame(entry)),
  );
  return [...others, { ...descriptor, annotations: { [refName]: name } }];
}

function nameIn({ annotations }: JsonObject): unknown {
  return typeof annotations === 'object' && annotations !== null
    ? (annotations as JsonObject)[refName]
    : undefined;
}

function formatIndex(members: JsonObject, manifests: readonly JsonObject[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, ...members, manifests });
}

/** Two copies into one layout write its index one after the other. */
async function locked(directory: string, what: string, work: () => Promise<void>): Promise<void> {
  const lock = join(directory, '.tcf.lock');
  for (let attempt = 1; !(await take(directory, lock)); attempt += 1) {
    if (attempt === lockTries) {
      throw cannotTell(
        'copy.locked',
        `another process has been writing ${what} for ${(lockTries * lockPause) / 1000} s`,
        {
          hint: `if no process is, remove ${lock} and copy again`,
        },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, lockPause));
  }
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function take(directory: string, lock: string): Promise<boolean> {
  return written(directory, async () => {
    try {
      await (await open(lock, 'wx')).close();
      return true;
    } catch (error) {
      if (isTaken(error)) {
        return false;
      }
      throw error;
    }
  });
}
