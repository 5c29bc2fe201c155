import { resolve } from 'node:path';
import { askedWrongly } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { Platform } from '../oci/manifest.ts';
import { type ImageRef, parseImageRef } from '../oci/reference.ts';
import type { Registry } from '../registry/contract.ts';
import type { OpenImage } from './contract.ts';
import { openFromContainersStorage } from './from-containers-storage.ts';
import { openFromDockerArchive } from './from-docker-archive.ts';
import { openFromOci } from './from-oci.ts';
import { openFromOciArchive } from './from-oci-archive.ts';
import { openFromRegistry } from './from-registry.ts';
import { localStoreOf, type StorageSettings } from './storage-conf.ts';
import { localStoreAt, type StorageDriver, storageDrivers } from './storage-files.ts';

/** An image as the user named it, spelled as in containers-transports(5). */
export type ImageName =
  | { readonly transport: 'docker'; readonly ref: ImageRef }
  | { readonly transport: 'oci'; readonly directory: string; readonly reference?: string }
  | { readonly transport: 'oci-archive'; readonly file: string; readonly reference?: string }
  | { readonly transport: 'docker-archive'; readonly file: string; readonly reference?: string }
  | {
      readonly transport: 'containers-storage';
      readonly graphRoot?: string;
      readonly driver?: StorageDriver;
      readonly name: string;
    }
  /** No transport: each command has its own idea where to look first. */
  | { readonly transport: 'bare'; readonly name: string };

export type PlacedImageName = Exclude<ImageName, { readonly transport: 'bare' }>;

const transports = 'docker://REF, oci:DIR, oci-archive:FILE, docker-archive:FILE, containers-storage:REF';
/** Transports of containers-transports(5) that we do not read. */
const others = /^(?:atomic|dir|docker-daemon|ostree|sif|tarball|docker):/;

/**
 * @throws TcfError `image.transport` (exit 3) for a transport that is unknown or lacks its name.
 */
export function parseImageName(text: string): ImageName {
  const [, transport = '', rest = ''] =
    /^(docker|oci|oci-archive|docker-archive|containers-storage):(.*)$/s.exec(text) ?? [];
  switch (transport) {
    case 'docker':
      if (rest.startsWith('//')) return { transport, ref: parseImageRef(rest.slice(2)) };
      break;
    case 'oci': {
      const { path, reference } = splitPath(rest, text);
      return { transport, directory: path, ...reference };
    }
    case 'oci-archive':
    case 'docker-archive': {
      const { path, reference } = splitPath(rest, text);
      return { transport, file: path, ...reference };
    }
    case 'containers-storage':
      return { transport, ...splitStore(rest, text) };
    default:
      if (!others.test(text) && !text.includes('://')) return bare(text);
  }
  throw askedWrongly('image.transport', `tcf reads no image from ${quoted(text)}`, {
    hint: `write ${transports}`,
  });
}

function bare(name: string): ImageName {
  if (name === '')
    throw askedWrongly('image.transport', 'no image is named', { hint: `write ${transports}` });
  return { transport: 'bare', name };
}

/** `PATH[:REFERENCE]`: a path has no colon, a reference may. */
function splitPath(
  rest: string,
  text: string,
): { readonly path: string; readonly reference: { readonly reference?: string } } {
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const reference = colon < 0 ? '' : rest.slice(colon + 1);
  if (path === '' || path.includes('\0'))
    throw askedWrongly('image.transport', `${quoted(text)} names no path`);
  return { path, reference: reference === '' ? {} : { reference } };
}

/** `[DRIVER@GRAPHROOT[+RUNROOT][:OPTIONS]]NAME`. */
function splitStore(
  rest: string,
  text: string,
): { readonly graphRoot?: string; readonly driver?: StorageDriver; readonly name: string } {
  const store = /^\[(?:([a-z]*)@)?(\/[^\]+:]*)(?:\+[^\]:]*)?(?::[^\]]*)?\](.*)$/s.exec(rest);
  const name = store === null ? rest : (store[3] ?? '');
  if (name === '' || name.startsWith('['))
    throw askedWrongly('image.transport', `${quoted(text)} names no image in a store`, {
      hint: 'write containers-storage:REF or containers-storage:[overlay@/graph/root+/run/root]REF',
    });
  if (store === null) return { name };
  const [, named = '', graphRoot = ''] = store;
  const driver = storageDrivers.find((one) => one === named);
  if (driver === undefined && named !== '') {
    throw askedWrongly('image.transport', `tcf reads no store of the driver ${quoted(named)}`, {
      hint: `only ${storageDrivers.join(' and ')} keep the files of a layer where they can be found; skopeo can copy the image to oci:DIR`,
    });
  }
  return { graphRoot, ...(driver === undefined ? {} : { driver }), name };
}

/** What opening an image needs of the world. */
export interface SourceHost extends StorageSettings {
  /** Relative paths start here. */
  readonly cwd: string;
  /** Called only for an image of a registry. */
  readonly registry: () => Promise<Registry> | Registry;
}

/**
 * Opens an image wherever it lies. `platform` chooses among several; a source with one image only gives that one.
 *
 * @throws TcfError (exit 2 or 3) as the source's own function.
 */
export async function openImage(
  name: PlacedImageName,
  platform: Platform,
  host: SourceHost,
): Promise<OpenImage> {
  switch (name.transport) {
    case 'docker':
      return await openFromRegistry(await host.registry(), name.ref, platform);
    case 'oci':
      return await openFromOci(resolve(host.cwd, name.directory), name.reference, platform);
    case 'oci-archive':
      return await openFromOciArchive(resolve(host.cwd, name.file), name.reference, platform);
    case 'docker-archive':
      return await openFromDockerArchive(resolve(host.cwd, name.file), name.reference);
    case 'containers-storage':
      return await openFromContainersStorage(
        name.graphRoot === undefined
          ? await localStoreOf(host)
          : await localStoreAt(name.graphRoot, name.driver),
        name.name,
      );
  }
}
