import { join } from 'node:path';
import { quoted } from '../base/text.ts';
import type { Platform } from '../oci/manifest.ts';
import type { OpenImage } from './contract.ts';
import { fileBytes, readSmall } from './files.ts';
import { type LayoutFiles, openLayout } from './layout.ts';

/** Opens an image of an OCI layout directory. @throws TcfError as `openLayout`. */
export async function openFromOci(
  directory: string,
  reference: string | undefined,
  platform: Platform,
): Promise<OpenImage> {
  return await openLayout(layoutFiles(directory), reference, platform, quoted(`oci:${directory}`));
}

export function layoutFiles(directory: string): LayoutFiles {
  return {
    small: (path, limit) => readSmall(join(directory, path), limit),
    stream: (path) => fileBytes(join(directory, path)),
    [Symbol.asyncDispose]: async () => {},
  };
}
