import { askedWrongly, cannotTell } from '../../base/error.ts';
import { printable, quoted } from '../../base/text.ts';
import { type Container, type Engine, inspectContainer } from '../../launch/engine.ts';
import type { Host } from '../../system/host.ts';
import type { Verification } from '../verify-image.ts';

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
 * Whether the content that a container was made from is what was verified. It was made with a digest in its
 * name, by tcf or not at all.
 *
 * @throws TcfError `dev.image` (exit 2).
 */
export function checkContainer(name: string, container: Container, { imageIds, pinned }: Verification): void {
  if (imageIds.some((id) => id === container.imageId)) {
    return;
  }
  throw cannotTell(
    'dev.image',
    `the dev container ${quoted(name)} was made from ${container.imageId}, which is not ${pinned}`,
    {
      hint: `tcf down ${name}, then tcf up ${name}`,
    },
  );
}

/** @throws TcfError `engine.remove` (exit 2). */
export async function removeContainer(
  host: Host,
  engine: Engine,
  globals: readonly string[],
  which: string,
  name: string,
): Promise<void> {
  const removed = await host.run(engine.path, [...globals, 'rm', '--force', which]);
  if (removed.code !== 0) {
    throw cannotTell(
      'engine.remove',
      `${engine.name} did not remove ${name}: ${printable(removed.stderr.trim(), 1000)}`,
    );
  }
}
