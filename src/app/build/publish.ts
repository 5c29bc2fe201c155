import { join } from 'node:path';
import { compact } from '../../base/compact.ts';
import { askedWrongly, cannotTell } from '../../base/error.ts';
import { printable, quoted } from '../../base/text.ts';
import { formatImageRef } from '../../oci/reference.ts';
import type { Host } from '../../system/host.ts';
import { rememberBuilt } from '../built-images.ts';
import { copyImage } from '../copy-image.ts';
import { isLocalName, readNamedImage } from '../local-image.ts';
import type { Network } from '../network.ts';
import { type Attached, signImage } from '../sign/sign-image.ts';
import { openSigning, type SigningRequest } from '../sign/signing.ts';
import { stageTag } from './stage.ts';

export interface PublishRequest {
  /** `registry/repository:tag`, or `containers-storage:localhost/NAME:TAG`. */
  readonly to?: string | undefined;
  readonly signing?: SigningRequest | undefined;
  readonly network?: Network | undefined;
  readonly onAttached?: ((attached: Attached) => Promise<void>) | undefined;
}

/**
 * Where a built image goes: what was asked for; where only a key was named, podman's store of this machine.
 * `undefined`: nowhere. What cannot be signed or given away is told before the build and not after it.
 *
 * @throws TcfError `build.to`, `image.local` (exit 3), and as the signer does.
 */
export async function placeToPublish(
  host: Host,
  { signing, to }: PublishRequest,
  image: string,
): Promise<string | undefined> {
  const place =
    to ?? (signing === undefined ? undefined : `containers-storage:localhost/tcf/${image}:latest`);
  if (place === undefined) {
    return undefined;
  }
  if (isLocalName(place)) {
    readNamedImage(place);
    if ((signing?.signer ?? { kind: 'keyless' }).kind === 'keyless') {
      throw askedWrongly('build.to', `${quoted(place)} is in no registry, and is signed with a key`, {
        hint: 'name one with --key FILE (tcf keygen makes it)',
      });
    }
    podmanOf(host, place);
  }
  if (signing?.signer?.kind === 'key') {
    await openSigning(host, signing);
  }
  return place;
}

interface Built {
  readonly image: string;
  /** Layout of the image in the folder of the build, whose name podman can read: it takes no capital letters. */
  readonly layout: string;
  /** Folder with `bom.json` and `provenance.json`. */
  readonly output: string;
  readonly place: string;
}

/** Gives a built image to a registry or to podman, and signs and attests it there. Returns its name. */
export async function publish(
  host: Host,
  request: PublishRequest,
  { image, layout, output, place }: Built,
): Promise<string> {
  const network = compact({ network: request.network });
  const from = `oci:${layout}:${stageTag}`;
  const name = isLocalName(place)
    ? await giveToPodman(host, from, place)
    : (await copyImage(host, { from, to: place, ...network })).name;
  await signImage(host, {
    image: name,
    ...compact({ signing: request.signing, onAttached: request.onAttached }),
    ...network,
    sbom: { kind: 'given', file: join(output, 'bom.json') },
    attest: [{ type: 'slsaprovenance1', file: join(output, 'provenance.json') }],
  });
  await rememberBuilt(host, image, place);
  return name;
}

async function giveToPodman(host: Host, from: string, place: string): Promise<string> {
  const podman = podmanOf(host, place);
  const run = async (...args: readonly string[]): Promise<string> => {
    const ran = await host.run(podman, args);
    if (ran.code !== 0) {
      throw cannotTell('build.to', `podman did not take the image: ${printable(ran.stderr.trim(), 1000)}`);
    }
    return ran.stdout.trim();
  };
  const id = await run('pull', '--quiet', from);
  await run('tag', id, formatImageRef(readNamedImage(place)));
  return place;
}

function podmanOf(host: Host, place: string): string {
  const podman = host.find('podman');
  if (podman === undefined) {
    throw askedWrongly('build.to', `found no podman on PATH, whose store ${quoted(place)} is in`, {
      hint: 'name a registry: --to registry/repository:tag',
    });
  }
  return podman;
}
