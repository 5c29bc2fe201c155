import { resolve } from 'node:path';
import { quoted } from '../base/text.ts';
import { openArchive } from './archive.ts';
import type { ImageSource, PlacedImageName } from './contract.ts';
import { openLayout } from './layout-store.ts';
import { parsePathName } from './path-name.ts';

export interface ArchiveName extends PlacedImageName {
  readonly transport: 'oci-archive';
  readonly file: string;
  readonly reference?: string;
}

/** A tar file that holds an OCI layout, compressed or not. */
export const ociArchive: ImageSource<ArchiveName> = {
  transport: 'oci-archive',
  form: 'oci-archive:FILE',
  parse(rest, text) {
    const { path, ...named } = parsePathName(rest, text);
    return { transport: 'oci-archive', file: path, ...named };
  },
  async open({ file, reference }, platform, host) {
    const path = resolve(host.cwd, file);
    const what = quoted(`oci-archive:${path}`);
    const archive = await openArchive(path, what);
    try {
      return await openLayout(archive, reference, platform, what);
    } catch (error) {
      await archive[Symbol.asyncDispose]();
      throw error;
    }
  },
};
