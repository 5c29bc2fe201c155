import { join, resolve } from 'node:path';
import { compact } from '../../base/compact.ts';
import type { Diagnostic } from '../../base/diagnostic.ts';
import { parseRunArguments } from '../../launch/arguments.ts';
import { cachesAmong, type Mount } from '../../launch/flags/mounts.ts';
import { formatDiagnostics } from '../../report/diagnostics.ts';
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
  const caches = cachesAmong(words, holdsCache);
  await host.stderr.write(formatDiagnostics(caches.map(warningOf)));
}

function warningOf({ isReadOnly, source, target }: Mount): Diagnostic {
  return compact({
    level: 'warning',
    code: 'launch.cache',
    subject: `${source} at ${target}`,
    message:
      "compiled kernels of Triton lie there, or will: native code that runs in the container, and that neither the image's signature nor its SBOM covers",
    hint: isReadOnly
      ? undefined
      : 'every container that writes there decides what runs in the others; share it only among those that you trust alike',
  });
}
