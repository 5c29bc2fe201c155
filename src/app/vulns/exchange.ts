import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { emptyConfig, formatArtifact } from '../../oci/artifact.ts';
import { parseDigest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { formatPinnedRef, type PinnedRef, parseImageRef, pin } from '../../oci/reference.ts';
import type { Verdict } from '../../policy/decide.ts';
import { replaceFile } from '../../system/atomic.ts';
import type { Host } from '../../system/host.ts';
import { withScratchFolder } from '../../system/scratch.ts';
import { type Network, openUserRegistry } from '../network.ts';
import { parseRegistryName } from '../registries.ts';
import { type VerifyRequest, verifyImage } from '../verify-image.ts';
import { checkDatabaseFile, type FileFacts, maxDatabase } from './database-file.ts';
import { keepDatabase } from './place.ts';

/** What an artifact with a database is called in registries. */
const databaseArtifact = 'application/vnd.tcf.vulnerabilities.v1+sqlite';

/**
 * Pushes a database as an OCI artifact. It is signed like an image: `tcf sign REFERENCE --no-sbom`.
 *
 * @throws TcfError `db.damaged`, `registry.*` (exit 2).
 */
export async function pushDatabase(
  host: Host,
  { image, network, path }: { readonly image: string; readonly path: string; readonly network?: Network },
): Promise<PinnedRef> {
  const ref = parseRegistryName(image, 'db push');
  const { digest, size } = checkDatabaseFile(path, `the database ${quoted(path)}`);
  const registry = await openUserRegistry(host, network);
  const config = await registry.pushBlob(ref, emptyConfig.mediaType, emptyConfig.bytes);
  const layer = { mediaType: databaseArtifact, digest: parseDigest(digest), size };
  await registry.copyBlob(ref, layer, () => createReadStream(path));
  const bytes = formatArtifact(databaseArtifact, config, layer);
  const { digest: pushed } = await registry.pushManifest(
    ref,
    ref.tag ?? 'latest',
    mediaTypes.manifest,
    bytes,
  );
  return pin(ref, pushed);
}

export type PulledDatabase =
  | { readonly kind: 'kept'; readonly image: string; readonly file: FileFacts; readonly verdict: Verdict }
  /** The policy does not allow it; what was kept before stays. */
  | { readonly kind: 'denied'; readonly verdict: Verdict };

/**
 * Gets a database from a registry and keeps it, if the policies allow the artifact as they allow an image.
 * Nothing of it is fetched before that.
 *
 * @throws TcfError `db.artifact`, `db.damaged`, and as `verifyImage` does (exit 2).
 */
export async function pullDatabase(host: Host, request: VerifyRequest): Promise<PulledDatabase> {
  const { pinned, verdict } = await verifyImage(host, { ...request, verb: 'db' });
  if (verdict.verdict !== 'allow') {
    return { kind: 'denied', verdict };
  }
  const ref = parseImageRef(pinned);
  const registry = await openUserRegistry(host, request.network);
  const fetched = ref.digest === undefined ? undefined : await registry.manifest(ref, ref.digest);
  const layers = fetched?.document.kind === 'manifest' ? fetched.document.layers : [];
  const [layer] = layers;
  if (layer === undefined || layers.length > 1 || layer.mediaType !== databaseArtifact) {
    throw cannotTell('db.artifact', `${quoted(pinned)} holds no database of vulnerabilities`, {
      hint: 'name an artifact that tcf db push has made',
    });
  }
  if (layer.size > maxDatabase) {
    throw cannotTell(
      'db.artifact',
      `the database of ${quoted(pinned)} has ${layer.size} bytes, more than ${maxDatabase}`,
    );
  }
  const image = formatPinnedRef(verdict.image);
  return await withScratchFolder(async (scratch) => {
    const path = join(scratch, 'pulled.sqlite');
    await replaceFile(path, registry.blob(ref, layer), 0o600);
    return { kind: 'kept', image, file: await keepDatabase(host, path, image), verdict };
  });
}
