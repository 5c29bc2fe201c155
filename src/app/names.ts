import { printable } from '../base/text.ts';
import type { ImageRef } from '../oci/reference.ts';
import { noRegistriesConfig, type RegistriesConfig } from '../registry/registries-config.ts';
import { loadRegistriesConfig } from '../registry/registries-files.ts';
import { isShortName, resolveName } from '../registry/short-names.ts';
import type { Host } from '../system/host.ts';
import { refuseFileName } from './file-names.ts';
import { parseRegistryName } from './registries.ts';

/** What a name means on this machine. */
export interface MeantImage {
  readonly ref: ImageRef;
  /** Where podman, buildah and skopeo read it, if it is not docker that starts it. */
  readonly config: RegistriesConfig;
}

/**
 * Reads the name of an image in a registry as the engine that starts it does: podman by registries.conf(5),
 * docker by Docker Hub. A meaning that the other one does not share is told on stderr.
 *
 * @throws TcfError `image.is-file`, `image.transport`, `reference.*` (exit 3), `registries.malformed` (exit
 *   2).
 */
export async function resolveImageName(
  host: Host,
  text: string,
  verb: string,
  engine: 'docker' | 'podman' = 'podman',
): Promise<MeantImage> {
  refuseFileName(host, text);
  const ref = parseRegistryName(text, verb);
  if (engine === 'docker') {
    return { ref, config: noRegistriesConfig };
  }
  // skopeo and buildah complete a name after a transport for Docker Hub.
  const isFull = text.startsWith('docker://') || !isShortName(text);
  const config = await loadRegistriesConfig(host, isFull ? 'full' : 'all');
  if (isFull) {
    return { ref, config };
  }
  const meant = resolveName(text, config);
  if (meant.note !== undefined) {
    await host.stderr.write(`tcf: ${printable(meant.note, 1000)}\n`);
  }
  return { ref: meant.ref, config };
}
