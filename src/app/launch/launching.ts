import { formatPlatform } from '../../image/platform.ts';
import { type Engine, type Launch, pullCommand, runCommand } from '../../launch/engine.ts';
import { shellLine } from '../../launch/shell.ts';
import { formatVerdict } from '../../report/text.ts';
import type { Host } from '../../system/host.ts';
import { paintSigns } from '../../system/terminal.ts';
import { hostPlatform } from '../registries.ts';
import { type Verification, type VerifyRequest, verifyImage } from '../verify-image.ts';

/**
 * podman and docker exit with it when they, not the container, failed. A denied container did not fail, it
 * never was.
 */
export const notStarted = 125;

export type AllowedImage = Verification & { readonly verdict: { readonly verdict: 'allow' } };

/**
 * Decides about an image, by default from the cache, unlike those who only judge; a denial is told, and
 * `undefined`.
 */
export async function allowedImage(host: Host, request: VerifyRequest): Promise<AllowedImage | undefined> {
  const verification = await verifyImage(host, { cache: true, ...request });
  const { verdict } = verification;
  if (verdict.verdict === 'allow') {
    return { ...verification, verdict };
  }
  const told = host.unquieted ?? host.stderr;
  await told.write(paintSigns(formatVerdict(verdict), told));
  await told.write('tcf: nothing was started\n');
  return undefined;
}

/**
 * The platform that an engine is told. docker with containerd's store keeps an index under one id, and
 * chooses by `DOCKER_DEFAULT_PLATFORM` at the start where nothing was said: so it is told which image of the
 * index was verified.
 *
 * @param asked `--platform`.
 */
export function platformFor(
  host: Host,
  engine: Engine,
  { manifest, verdict }: AllowedImage,
  asked: string | undefined,
): string | undefined {
  const isIndex = manifest !== verdict.allow.image.digest;
  return asked ?? (engine.name === 'docker' && isIndex ? formatPlatform(hostPlatform(host)) : undefined);
}

/** What the engine is told, one command a line, to be pasted into a shell. */
export function launchLines(engine: Engine, launch: Launch): string {
  return [pullCommand(engine, launch), runCommand(engine, launch)]
    .map((words) => `${shellLine(engine.name, words)}\n`)
    .join('');
}
