import { parseDevContainer } from '../../launch/devcontainer/document.ts';
import { type DevContainerFault, faultsOf } from '../../launch/devcontainer/faults.ts';
import { formatImageRef, type ImageRef } from '../../oci/reference.ts';
import type { Verdict } from '../../policy/decide.ts';
import type { Host } from '../../system/host.ts';
import { nameToAsk } from '../local-image.ts';
import { type VerifyRequest, verifyImage } from '../verify-image.ts';
import { type CheckOptions, writeDevContainer } from './devcontainer-file.ts';

/**
 * `registry/repository[:tag]@digest` of an image that the policies allow, or what they say otherwise.
 *
 * @throws TcfError as `verifyImage` does.
 */
export async function pinAllowed(
  host: Host,
  ref: ImageRef,
  request: Omit<VerifyRequest, 'image' | 'verb'>,
): Promise<{ readonly pinned: string } | { readonly verdict: Verdict }> {
  // A digest that was pinned before is replaced by where its tag leads now.
  const wanted =
    ref.tag === undefined ? ref : { registry: ref.registry, repository: ref.repository, tag: ref.tag };
  const { verdict } = await verifyImage(host, {
    ...request,
    image: nameToAsk(wanted),
    verb: 'devcontainer',
  });
  return verdict.verdict === 'allow'
    ? { pinned: formatImageRef({ ...wanted, digest: verdict.image.digest }) }
    : { verdict };
}

export interface ReplacedDevContainer {
  readonly isWritten: boolean;
  /** What speaks against starting the new text. */
  readonly faults: readonly DevContainerFault[];
  readonly warnings: readonly string[];
}

/**
 * Writes the new text where only words of the user speak against it: the file says what it wants, and
 * `tcf devcontainer check` asks the user.
 *
 * @throws TcfError `file.unwritable` (exit 3).
 */
export async function replaceDevContainer(
  host: Host,
  file: string,
  text: string,
  asks: CheckOptions,
): Promise<ReplacedDevContainer> {
  const faults = faultsOf(parseDevContainer(text, file), file);
  if (faults.some(({ word }) => word === undefined)) {
    return { isWritten: false, faults, warnings: [] };
  }
  return { isWritten: true, faults, warnings: await writeDevContainer(host, file, text, asks) };
}
