import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the real cosign 3. */
    cosign: string;
    /** Path of the real cosign 2. */
    cosign2: string;
    /** Folder of the programs of a private Sigstore, and of registries. */
    parts: string;
    /** Folder of the definitions that clusters hold exports to. */
    schemas: string;
  }
}

const folder = '/var/tmp/tcf-interop';

/** Builds the real peers at pinned versions, once. Each takes some minutes on two cores. */
export function setup(project: {
  provide(key: 'cosign' | 'cosign2' | 'parts' | 'schemas', value: string): void;
}): void {
  execFileSync('bash', [join(import.meta.dirname, 'build-parts.sh'), folder], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const bin = join(folder, 'bin');
  for (const name of ['cosign', 'cosign2'] as const) {
    if (!existsSync(join(bin, name))) {
      throw new Error(`${name} was not built`);
    }
    project.provide(name, join(bin, name));
  }
  project.provide('parts', bin);
  project.provide('schemas', join(folder, 'schemas'));
}
