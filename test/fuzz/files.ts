import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The repository. */
export const root: string = join(import.meta.dirname, '../..');

/** Every file below a folder of the repository whose name fits. */
export function filesBelow(folder: string, name: RegExp): readonly Buffer[] {
  const full = join(root, folder);
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}
