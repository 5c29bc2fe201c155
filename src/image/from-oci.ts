import { join, resolve } from 'node:path';
import { quoted } from '../base/text.ts';
import type { ImageSource, PlacedImageName } from './contract.ts';
import { fileBytes, readSmall } from './files.ts';
import type { LayoutFiles } from './layout.ts';
import { openLayout } from './layout-store.ts';
import { parsePathName } from './path-name.ts';

export interface OciLayoutName extends PlacedImageName {
  readonly transport: 'oci';
  readonly directory: string;
  readonly reference?: string;
}

export const ociLayout: ImageSource<OciLayoutName> = {
  transport: 'oci',
  form: 'oci:DIR',
  parse(rest, text) {
    const { path, ...named } = parsePathName(rest, text);
    return { transport: 'oci', directory: path, ...named };
  },
  async open({ directory, reference }, platform, host) {
    const path = resolve(host.cwd, directory);
    return await openLayout(layoutFiles(path), reference, platform, quoted(`oci:${path}`));
  },
};

export function isOciLayoutName(name: PlacedImageName): name is OciLayoutName {
  return name.transport === ociLayout.transport;
}

export function layoutFiles(directory: string): LayoutFiles {
  return {
    small: (path, limit) => readSmall(join(directory, path), limit),
    stream: (path) => fileBytes(join(directory, path)),
    locate: (path) => ({ path: join(directory, path) }),
    [Symbol.asyncDispose]: async () => {},
  };
}
