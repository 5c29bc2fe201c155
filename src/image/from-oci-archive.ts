import { quoted } from '../base/text.ts';
import type { Platform } from '../oci/manifest.ts';
import { openArchive } from './archive.ts';
import type { OpenImage } from './contract.ts';
import { openLayout } from './layout.ts';

/** Opens an image of a tar file that holds an OCI layout. @throws TcfError as `openArchive` and `openLayout`. */
export async function openFromOciArchive(
  file: string,
  reference: string | undefined,
  platform: Platform,
): Promise<OpenImage> {
  const what = quoted(`oci-archive:${file}`);
  const archive = await openArchive(file, what);
  try {
    return await openLayout(archive, reference, platform, what);
  } catch (error) {
    await archive[Symbol.asyncDispose]();
    throw error;
  }
}
