import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { partOfExecutable } from '../../system/executable.ts';

/**
 * Names the code that decides what a layer says (`layers`), or what an SBOM does (`sboms`): what was kept by
 * other code is made again. The built program has a file that names all others by their hashes; from source
 * it is every file of the packages.
 */
export function codeKey(of: 'layers' | 'sboms'): string {
  const hash = createHash('sha256');
  const part = of === 'layers' ? 'scan-thread.js' : 'main.js';
  const built = partOfExecutable(part) ?? builtPart(part);
  if (built !== undefined) {
    return hash.update(built).digest('hex').slice(0, 32);
  }
  for (const file of codeFiles(of === 'layers' ? ['catalogers/', 'image/', 'base/'] : [''])) {
    hash.update(`${file.pathname}\0`).update(readFileSync(file));
  }
  return hash.digest('hex').slice(0, 32);
}

function builtPart(name: string): Uint8Array | undefined {
  const file = new URL(`./${name}`, import.meta.url);
  return existsSync(file) ? readFileSync(file) : undefined;
}

function codeFiles(packages: readonly string[]): readonly URL[] {
  return packages.flatMap((name) => {
    const folder = new URL(`../../${name}`, import.meta.url);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') || file.endsWith('.json'))
      .sort()
      .map((file) => new URL(file, folder));
  });
}
