import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder that lives over runs: downloaded wheels, the root file system. */
    work: string;
    /** Name of the real image in podman's store. */
    image: string;
  }
}

/** Installs the real parts and builds the real image, once for each recipe. */
export function setup(project: { provide(key: 'image' | 'work', value: string): void }): void {
  const here = import.meta.dirname;
  const work = '/var/tmp/tcf-e2e';
  mkdirSync(work, { recursive: true });
  // crun and the default resource limits are refused in some sandboxes; the tests are about tcf, not about
  // them.
  writeFileSync(
    join(work, 'containers.conf'),
    '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\nnetns = "none"\n[engine]\nruntime = "runc"\n',
  );
  execFileSync('bash', [join(here, 'install-parts.sh')], { stdio: ['ignore', 'inherit', 'inherit'] });
  const recipe = join(here, 'build-image.sh');
  const image = `localhost/tcf-e2e:${createHash('sha256').update(readFileSync(recipe)).digest('hex').slice(0, 12)}`;
  if (!exists(image)) {
    execFileSync('bash', [recipe, work, image], { stdio: ['ignore', 'inherit', 'inherit'] });
  }
  project.provide('image', image);
  project.provide('work', work);
}

function exists(image: string): boolean {
  try {
    execFileSync('podman', ['image', 'exists', image], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if ((error as { status?: number }).status === 1) {
      return false;
    }
    throw error;
  }
}
