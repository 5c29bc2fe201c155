import { askedWrongly, cannotTell } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { type Container, type Engine, inspectContainer } from '../../launch/engine.ts';
import { toText } from '../../report/text.ts';
import type { Host } from '../host.ts';
import type { Options } from '../verb.ts';
import { cachedUnless } from './launching.ts';
import { type Verification, verifyImage } from './verification.ts';

/** podman and docker exit with it when they, not the container, failed. A denied container did not fail, it never was. */
export const notStarted = 125;

/** The engine's name for a dev container; the prefix keeps `tcf down` away from everybody else's. @throws TcfError `dev.name` (exit 3). */
export function containerName(name: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name)) return `tcf-${name}`;
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
  if (found !== undefined) return found;
  throw askedWrongly('dev.missing', `there is no dev container ${quoted(name)}`, {
    hint: `tcf up ${name}`,
  });
}

/** Decides about an image; a denial is told, and `undefined`. */
export async function allowedImage(
  host: Host,
  image: string,
  options: Options,
  verb: string,
): Promise<(Verification & { readonly verdict: { readonly verdict: 'allow' } }) | undefined> {
  const verification = await verifyImage(host, image, cachedUnless(options), verb);
  const { verdict } = verification;
  if (verdict.verdict === 'allow') return { ...verification, verdict };
  await host.stderr.write(toText(verdict));
  await host.stderr.write('tcf: nothing was started\n');
  return undefined;
}

/**
 * Whether the content that a container was made from is what was verified. It was made with a digest in its name, by tcf or not at all.
 *
 * @throws TcfError `dev.image` (exit 2).
 */
export function checkContainer(name: string, container: Container, { imageIds, pinned }: Verification): void {
  if (imageIds.some((id) => id === container.imageId)) return;
  throw cannotTell(
    'dev.image',
    `the dev container ${quoted(name)} was made from ${container.imageId}, which is not ${pinned}`,
    {
      hint: `tcf down ${name}, then tcf up ${name} makes it anew`,
    },
  );
}
