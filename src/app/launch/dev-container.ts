import { askedWrongly, cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { madeOf } from '../../launch/dev/made-with.ts';
import {
  type Container,
  type Engine,
  endContainer,
  inspectContainer,
  stopTimeOf,
} from '../../launch/engine.ts';
import type { Host } from '../../system/host.ts';
import type { AllowedImage } from './launching.ts';

/**
 * The engine's name for a dev container; the prefix keeps `tcf down` away from everybody else's.
 *
 * @throws TcfError `dev.name` (exit 3).
 */
export function containerName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) {
    return `tcf-${name}`;
  }
  throw askedWrongly('dev.name', `${quoted(name)} cannot be the name of a dev container`, {
    hint: 'lower case letters, digits, "-" and "_"',
  });
}

/** @throws TcfError `dev.missing` (exit 3). */
export async function findDevContainer(
  host: Host,
  engine: Engine,
  globals: readonly string[],
  name: string,
): Promise<Container> {
  const found = await inspectContainer(host, engine, globals, containerName(name));
  if (found !== undefined) {
    return found;
  }
  throw askedWrongly('dev.missing', `there is no dev container ${quoted(name)}`, {
    hint: `tcf up ${name}`,
  });
}

/**
 * Whether the content that a container was made from is what was verified, and tcf made it: a container that
 * somebody else made may start another one with it, or have content mounted that nothing has verified.
 *
 * @throws TcfError `dev.image`, `dev.foreign` (exit 2).
 */
export function checkContainer(name: string, container: Container, image: AllowedImage): void {
  const { imageIds, pinned, verdict } = image;
  const hint = `tcf down ${name}, then tcf up ${name}`;
  if (!imageIds.some((id) => id === container.imageId)) {
    throw cannotTell(
      'dev.image',
      `the dev container ${quoted(name)} was made from ${container.imageId}, which is not ${pinned}`,
      { hint },
    );
  }
  if (madeOf(container.profile ?? '') !== verdict.allow.image.digest) {
    throw cannotTell(
      'dev.foreign',
      `tcf did not make the container ${quoted(containerName(name))}, so nothing says what else starts with it`,
      { hint },
    );
  }
}

/**
 * Ends a dev container and removes it, and says how long that may take: a command that runs as the first
 * process and does not listen to the signal is waited for.
 *
 * @param seconds that it has to end by itself. Default: what it was made with, else 10.
 * @throws TcfError `engine.remove` (exit 2).
 */
export async function removeContainer(
  host: Host,
  engine: Engine,
  globals: readonly string[],
  container: Container,
  { name, seconds = stopTimeOf(container) }: { readonly name: string; readonly seconds?: number },
): Promise<void> {
  if (container.isRunning && !container.isKilled && seconds > 0) {
    await host.stderr.write(
      `tcf: asked ${containerName(name)} to end; what does not within ${seconds} seconds is ended (--time SECONDS)\n`,
    );
  }
  await endContainer(host, engine, globals, container, seconds);
}
