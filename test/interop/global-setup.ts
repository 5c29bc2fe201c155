import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the real cosign 3. */
    cosign: string;
    /** Path of the real cosign 2. */
    cosign2: string;
  }
}

const peers = { cosign: ['v3', 'v3.0.6'], cosign2: ['v2', 'v2.6.5'] } as const;

/** Builds the real peers at pinned versions, once. Some minutes for each on two cores. */
export function setup(project: { provide(key: keyof typeof peers, value: string): void }): void {
  for (const [name, [major, version]] of Object.entries(peers)) {
    const folder = join('/var/tmp/tcf-interop', `cosign-${version}`);
    const cosign = join(folder, 'cosign');
    if (!existsSync(cosign)) {
      mkdirSync(folder, { recursive: true });
      execFileSync('go', ['install', `github.com/sigstore/cosign/${major}/cmd/cosign@${version}`], {
        env: { ...process.env, GOBIN: folder },
        stdio: ['ignore', 'inherit', 'inherit'],
      });
    }
    project.provide(name as keyof typeof peers, cosign);
  }
}
