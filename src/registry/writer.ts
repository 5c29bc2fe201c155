import { bytesOf } from '../base/bytes.ts';
import { digestOf } from '../oci/digest.ts';
import { attach, attachAll } from './attach-referrers.ts';
import type { Registry } from './contract.ts';
import { pushManifest } from './push.ts';
import type { ReferrersContext } from './referrers.ts';
import { defaultChunkSize, uploadBlob } from './upload.ts';

/** The half of a registry's client that writes. */
export type RegistryWriter = Pick<
  Registry,
  'attach' | 'attachAll' | 'copyBlob' | 'pushBlob' | 'pushManifest'
>;

/** @param chunkSize Bytes of a blob on its way to hold in memory. */
export function openWriter(context: ReferrersContext, chunkSize: number = defaultChunkSize): RegistryWriter {
  const { retryPolicy, session } = context;
  const upload = { session, retryPolicy, chunkSize };
  return {
    pushBlob: async (repository, mediaType, bytes) => {
      const blob = { mediaType, digest: digestOf(bytes), size: bytes.length };
      await uploadBlob(upload, repository, blob, () => bytesOf(bytes));
      return blob;
    },
    copyBlob: (repository, blob, open, from) => uploadBlob(upload, repository, blob, open, from),
    pushManifest: async (repository, reference, mediaType, bytes) =>
      (await pushManifest(session, repository, reference, mediaType, bytes)).descriptor,
    attach: (repository, manifest, subject) => attach(context, repository, manifest, subject),
    attachAll: (repository, manifests, subject) => attachAll(context, repository, manifests, subject),
  };
}
