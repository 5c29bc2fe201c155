import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes SHA256SUMS beside the files that it names, as `sha256sum -c` reads it. */
export async function writeChecksums(folder: string, names: readonly string[]): Promise<void> {
  const lines = await Promise.all(
    [...names].sort().map(async (name) => {
      const digest = createHash('sha256').update(await readFile(join(folder, name)));
      return `${digest.digest('hex')}  ${name}\n`;
    }),
  );
  await writeFile(join(folder, 'SHA256SUMS'), lines.join(''));
}
