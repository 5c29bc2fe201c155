import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the real cosign. */
    cosign: string;
  }
}

const version = 'v3.0.6';

/** Builds the real peer at a pinned version, once. Some minutes on two cores. */
export function setup(project: { provide(key: 'cosign', value: string): void }): void {
  const folder = join('/var/tmp/tcf-interop', `cosign-${version}`);
  const cosign = join(folder, 'cosign');
  if (!existsSync(cosign)) {
    mkdirSync(folder, { recursive: true });
    execFileSync('go', ['install', `github.com/sigstore/cosign/v3/cmd/cosign@${version}`], {
      env: { ...process.env, GOBIN: folder },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
  project.provide('cosign', cosign);
}
