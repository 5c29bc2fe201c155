import { join, resolve } from 'node:path';
import { printable } from '../../base/text.ts';
import { parseRunArguments } from '../../launch/arguments.ts';
import { cachesAmong } from '../../launch/flags/mounts.ts';
import { fileExists } from '../../system/files.ts';
import type { Host } from '../../system/host.ts';

/**
 * Says what a mounted cache of compiled kernels means: its native code runs in the container like that of the
 * image, and nobody signed it.
 *
 * @param flags of the engine, as typed.
 */
export async function tellMountedCaches(host: Host, flags: readonly string[]): Promise<void> {
  const { judged } = parseRunArguments([...flags, 'the-image'], {});
  await tellCaches(
    host,
    judged.map(({ word }) => word),
  );
}

/** The same for words of which each has its value with it. */
export async function tellCaches(host: Host, words: readonly string[]): Promise<void> {
  const holdsCache = (source: string) =>
    /^[./~]/.test(source) && fileExists(host, join(resolve(host.cwd, source), '.triton/cache'));
  for (const { isReadOnly, source, target } of cachesAmong(words, holdsCache)) {
    await host.stderr.write(
      `tcf: ${printable(source, 500)} at ${printable(target, 500)} has compiled kernels of Triton in it, or will: native code that runs in the container, and that neither the image's signature nor its SBOM covers\n`,
    );
    if (!isReadOnly) {
      await host.stderr.write(
        '    hint: every container that writes there decides what runs in the others; share it only among those that you trust alike\n',
      );
    }
  }
}
