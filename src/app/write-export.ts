import { dirname, join } from 'node:path';
import { askedWrongly } from '../base/error.ts';
import type { Exported } from '../policy/exports/target.ts';
import { makeFolder, writeUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';
import { isStandard } from '../system/standard.ts';

/**
 * An exported policy on standard output, or its files in a folder, each of which is told.
 *
 * @throws TcfError `policy.output` (exit 3) for several files without a folder, `file.unwritable` (exit 3).
 */
export async function writeExport(
  host: Host,
  files: Exported['files'],
  asked: string | undefined,
): Promise<void> {
  const folder = isStandard(asked) ? undefined : asked;
  const [only] = files;
  if (folder === undefined && only !== undefined && files.length === 1) {
    await host.stdout.write(only.content);
    return;
  }
  if (folder === undefined) {
    throw askedWrongly(
      'policy.output',
      `there are ${files.length} files: ${files.map(({ path }) => path).join(', ')}`,
      {
        hint: 'give --output FOLDER',
      },
    );
  }
  for (const { content, path } of files) {
    await makeFolder(host, dirname(join(folder, path)));
    await writeUserFile(host, join(folder, path), content);
    await host.stderr.write(`wrote ${join(folder, path)}\n`);
  }
}
