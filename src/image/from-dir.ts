import { join, resolve } from 'node:path';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import { quoted } from '../base/text.ts';
import { algorithmOf, checkContent, checked, type Digest, digestOf, hexOf, isDigest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { Fetched, Repository, Store } from '../registry/contract.ts';
import type { ImageSource, OpenImage, PlacedImageName } from './contract.ts';
import { fileBytes, readSmall } from './files.ts';
import { openFromStore } from './from-store.ts';

export interface DirName extends PlacedImageName {
  readonly transport: 'dir';
  readonly directory: string;
}

/**
 * A folder that skopeo, podman or buildah wrote (containers-transports(5)): `manifest.json`, each blob under
 * the hexadecimal digits of its digest, and `DIGEST.manifest.json` for each image of an index. It has no
 * names, so all that follows the colon is the path.
 */
export const dirSource: ImageSource<DirName> = {
  transport: 'dir',
  form: 'dir:PATH',
  parse(rest, text) {
    if (rest === '' || rest.includes('\0')) {
      throw askedWrongly('image.transport', `${quoted(text)} names no path`);
    }
    return { transport: 'dir', directory: rest };
  },
  async open({ directory }, platform, host): Promise<OpenImage> {
    const path = resolve(host.cwd, directory);
    const what = quoted(`dir:${path}`);
    const manifest = await readManifest(join(path, 'manifest.json'), what);
    if (manifest === undefined) {
      throw cannotTell('image.missing', `${what} has no manifest.json`, {
        hint: 'dir: is a folder that "skopeo copy" wrote; write oci:DIR for an OCI layout',
      });
    }
    const store = dirStore(path, what);
    return await openFromStore(store, {
      repository: nameless,
      named: manifest,
      platform,
      what,
      locate: ({ digest, size }) => ({
        path: join(path, blobName(digest)),
        content: { digest, size, what: `blob ${digest} of ${what}` },
      }),
    });
  },
};

const nameless: Repository = { registry: '', repository: '' };

function dirStore(path: string, what: string): Store {
  return {
    manifest: async (_, wanted) => {
      const name = `manifest ${wanted} of ${what}`;
      const fetched = isDigest(wanted)
        ? await readManifest(join(path, `${blobName(wanted)}.manifest.json`), name)
        : undefined;
      if (fetched !== undefined && isDigest(wanted)) {
        checkContent(fetched.bytes, wanted, name);
        return { ...fetched, descriptor: { ...fetched.descriptor, digest: wanted } };
      }
      return fetched;
    },
    blob: (_, { digest, size }) =>
      checked(fileBytes(join(path, blobName(digest))), digest, size, `blob ${digest} of ${what}`),
    // What skopeo writes beside an image are signatures of another kind.
    referrers: async () => [],
  };
}

/** Nobody says which digest the folder has: it is the one of its manifest. */
async function readManifest(path: string, what: string): Promise<Fetched | undefined> {
  const bytes = await readSmall(path, jsonLimits.manifest.maxBytes);
  if (bytes === undefined) {
    return undefined;
  }
  const document = parseManifest(bytes, undefined, what);
  const { mediaType } = document;
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, document };
}

/** The digits alone for SHA-256, as it always was; with the algorithm before them for others. */
function blobName(digest: Digest): string {
  const algorithm = algorithmOf(digest);
  return algorithm === 'sha256' ? hexOf(digest) : `${algorithm}-${hexOf(digest)}`;
}
