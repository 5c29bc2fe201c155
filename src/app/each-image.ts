import { join } from 'node:path';
import { compact } from '../base/compact.ts';
import { askedWrongly, TcfError } from '../base/error.ts';
import { formatDiagnostic } from '../report/diagnostics.ts';
import { makeFolder } from '../system/files.ts';
import type { ExitCode, Host } from '../system/host.ts';
import { isStandard } from '../system/standard.ts';

/**
 * Writes a file for each of several images into one folder. An image that cannot be read is told, and the
 * others are written all the same.
 *
 * @param folder made where it is not there.
 * @param ending of the files, with its dot; before it stands the name of the image.
 * @param write makes the file at the path that it is given.
 * @returns the highest exit code of all.
 * @throws TcfError `sbom.folder`, `file.unwritable` (exit 3).
 */
export async function writeForEachImage(
  host: Host,
  images: readonly string[],
  { ending, folder }: { readonly folder: string | undefined; readonly ending: string },
  write: (image: string, path: string) => Promise<ExitCode>,
): Promise<ExitCode> {
  if (folder === undefined || isStandard(folder)) {
    throw askedWrongly('sbom.folder', `SBOMs of ${images.length} images are as many files`, {
      hint: 'name the folder for them with -o FOLDER',
    });
  }
  await makeFolder(host, folder);
  const names = fileNames(images);
  let exit: ExitCode = 0;
  for (const [at, image] of images.entries()) {
    try {
      exit = Math.max(exit, await write(image, join(folder, `${names[at]}${ending}`)));
    } catch (error) {
      if (!(error instanceof TcfError)) {
        throw error;
      }
      const { code, hint, message } = error;
      exit = Math.max(exit, error.exit);
      await host.stderr.write(
        formatDiagnostic(compact({ level: 'error', code, subject: image, message, hint })),
      );
    }
  }
  return exit;
}

/** `quay.io_team_dev_1`; two images that would share a name are numbered. */
function fileNames(images: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return images.map((image) => {
    const name =
      image
        .replaceAll(/[^\w.@-]+/g, '_')
        .replace(/^[._]+/, '')
        .slice(0, 150) || 'image';
    const count = (seen.get(name.toLowerCase()) ?? 0) + 1;
    seen.set(name.toLowerCase(), count);
    return count === 1 ? name : `${name}-${count}`;
  });
}
