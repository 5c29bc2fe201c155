import { compact } from '../../base/compact.ts';
import { pinnedImage } from '../../launch/devcontainer/document.ts';
import { wordsForEngine } from '../../launch/devcontainer/engine-words.ts';
import { type DevContainerFault, faultOf } from '../../launch/devcontainer/faults.ts';
import type { Platform } from '../../oci/manifest.ts';
import type { ImageRef } from '../../oci/reference.ts';
import type { Verdict } from '../../policy/decide.ts';
import type { Host } from '../../system/host.ts';
import { nameToAsk } from '../local-image.ts';
import type { Network } from '../network.ts';
import { type VerifyRequest, verifyImage } from '../verify-image.ts';
import { examineDevContainer, findDevContainerFile, readDevContainer } from './devcontainer-file.ts';
import { powersOfImage } from './image-powers.ts';
import { tellCaches } from './mounted-caches.ts';

export interface CheckRequest {
  /** The devcontainer.json. Default: the only one of the project. */
  readonly file: string | undefined;
  /** The question about the image that the file pins. */
  readonly question: (image: string) => VerifyRequest;
  /** Which image of an index. Default: the one of this machine. */
  readonly platform: Platform | undefined;
  readonly network: Network;
}

export interface DevContainerCheck {
  /** None, and an image that is allowed: the dev container may start. */
  readonly faults: readonly DevContainerFault[];
  /** Absent where the file alone says no. */
  readonly verdict?: Verdict;
}

/**
 * Whether the dev container of a project may start: what its file asks for, what the policies say of the
 * image that it pins, and what that image asks for itself. Mounted caches of compiled kernels are told.
 *
 * @throws TcfError `file.unreadable`, `devcontainer.*` (exit 3), and as `verifyImage` does.
 */
export async function checkDevContainer(host: Host, request: CheckRequest): Promise<DevContainerCheck> {
  const file = findDevContainerFile(host, request.file);
  const container = await readDevContainer(host, file);
  const faults = await examineDevContainer(host, container, file);
  const pinned = pinnedImage(container);
  if (pinned === undefined || faults.length > 0) {
    return { faults };
  }
  const image = withoutTag(pinned);
  const { verdict } = await verifyImage(host, request.question(nameToAsk(image)));
  if (verdict.verdict !== 'allow') {
    return { faults, verdict };
  }
  const { network, platform } = request;
  const powers = await powersOfImage(host, { image, container, platform, network });
  if (powers.length > 0) {
    return { faults: [faultOfPowers(file, powers)], verdict };
  }
  await tellCaches(host, wordsForEngine(container));
  return { faults, verdict };
}

function faultOfPowers(file: string, powers: readonly string[]): DevContainerFault {
  return faultOf(
    'image-powers',
    file,
    `the image asks for ${powers.join(', ')} in its label devcontainer.metadata, and the project does not`,
    `write what you want of it into ${file}, in the same words`,
  );
}

/** The tag beside a digest is for people; nobody has to ask where it leads now. */
function withoutTag({ digest, registry, repository }: ImageRef): ImageRef {
  return compact({ registry, repository, digest });
}
