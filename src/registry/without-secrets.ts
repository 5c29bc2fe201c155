import type { Bytes } from '../base/bytes.ts';
import type { Registry, Repository } from './contract.ts';
import type { SentSecrets } from './secrets.ts';

/** The same registry, none of whose errors repeats what was sent to it as a credential. */
export function withoutSecrets(registry: Registry, secrets: SentSecrets): Registry {
  const clean =
    ({ registry: host, repository }: Repository, ...own: readonly string[]) =>
    (error: unknown): never => {
      throw secrets.cleaned(error, [host, repository, ...own]);
    };
  return {
    manifest: (at, reference) => registry.manifest(at, reference).catch(clean(at, reference)),
    blob: (at, blob) => cleanBytes(registry.blob(at, blob), clean(at, blob.digest)),
    range: (at, blob, start, length) =>
      cleanBytes(registry.range(at, blob, start, length), clean(at, blob.digest)),
    pushBlob: (at, mediaType, bytes) => registry.pushBlob(at, mediaType, bytes).catch(clean(at)),
    copyBlob: (at, blob, open, from) => registry.copyBlob(at, blob, open, from).catch(clean(at, blob.digest)),
    pushManifest: (at, reference, mediaType, bytes) =>
      registry.pushManifest(at, reference, mediaType, bytes).catch(clean(at, reference)),
    referrers: (at, subject) => registry.referrers(at, subject).catch(clean(at, subject)),
    tags: (at) => registry.tags(at).catch(clean(at)),
    attach: (at, manifest, subject) =>
      registry.attach(at, manifest, subject).catch(clean(at, subject.digest)),
    attachAll: (at, manifests, subject) =>
      registry.attachAll(at, manifests, subject).catch(clean(at, subject)),
  };
}

async function* cleanBytes(bytes: Bytes, clean: (error: unknown) => never): Bytes {
  try {
    yield* bytes;
  } catch (error) {
    clean(error);
  }
}
