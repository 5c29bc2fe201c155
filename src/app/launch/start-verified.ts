import { compact } from '../../base/compact.ts';
import type { DevLaunch } from '../../launch/dev/compose.ts';
import { type Engine, findEngine, type Launch, launchContainer } from '../../launch/engine.ts';
import type { ExitCode, Host } from '../../system/host.ts';
import type { VerifyRequest } from '../verify-image.ts';
import { allowedImage, launchLines, notStarted, platformFor } from './launching.ts';
import { tellMountedCaches } from './mounted-caches.ts';

/** What is started once its image was allowed. */
export type WantedContainer = Pick<DevLaunch, 'command' | 'engineFlags' | 'image'> & Partial<DevLaunch>;

export interface StartRequest {
  /** The question about the image that `compose` names. */
  readonly question: (image: string) => VerifyRequest;
  /** Default: podman where it is installed. */
  readonly engine: Engine['name'] | undefined;
  readonly compose: (engine: Engine) => Promise<WantedContainer>;
  readonly transport: Pick<Launch, 'plainHttp' | 'platform'>;
  /** Verify, then print the commands instead of running them. */
  readonly isDry: boolean;
  /** Print the commands too. */
  readonly isVerbose?: boolean;
}

/**
 * Verifies an image, then starts exactly that digest; a denial is told, and nothing is started.
 *
 * @returns the exit code of the container, 125 where nothing was started.
 * @throws TcfError `engine.*`, `run.*` (exit 2 and 3), and as verification does.
 */
export async function startVerified(host: Host, request: StartRequest): Promise<ExitCode> {
  const engine = findEngine(host, request.engine);
  const { command, engineFlags, globals = [], image } = await request.compose(engine);
  const verification = await allowedImage(host, { ...request.question(image), engine: engine.name });
  if (verification === undefined) {
    return notStarted;
  }
  const { imageIds, verdict } = verification;
  const { allow } = verdict;
  const { plainHttp } = request.transport;
  const platform = platformFor(host, engine, verification, request.transport.platform);
  const launch = compact({ allow, imageIds, globals, engineFlags, command, plainHttp, platform });
  await tellMountedCaches(host, engineFlags);
  const text = launchLines(engine, launch);
  if (request.isDry) {
    await host.stdout.write(text);
    return 0;
  }
  if (request.isVerbose) {
    await host.stderr.write(text);
  }
  return await launchContainer(host, engine, launch);
}
