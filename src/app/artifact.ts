import { readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';

/** Blobs are signed by digest; whoever has a larger file to verify gives its digest. */
const maxArtifact = 1024 * 1024 * 1024;

/**
 * The file that a bundle is about.
 *
 * @throws TcfError `file.unreadable` (exit 3), `bytes.too-large` (exit 2).
 */
export function readArtifact(host: Host, path: string): Promise<Uint8Array> {
  return readUserFile(host, path, maxArtifact, 'the artifact');
}
