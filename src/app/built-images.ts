import { join } from 'node:path';
import { compact } from '../base/compact.ts';
import { jsonLimits, parseJson } from '../base/json.ts';
import { Shape } from '../base/shape.ts';
import type { DevProfile } from '../launch/dev/profiles.ts';
import { fileExists, readPlainFile, writeUserFile } from '../system/files.ts';
import { openPrivateFolder, stateFolder } from '../system/folders.ts';
import type { Host } from '../system/host.ts';

/**
 * What images of `images/` may be called where nobody built one yet; the value is the GPU that they are for.
 */
export const ownImages: Readonly<Record<string, 'cuda' | 'rocm' | undefined>> = {
  base: undefined,
  cpu: undefined,
  cuda: 'cuda',
  kernel: undefined,
  rocm: 'rocm',
};

const folderOf = (host: Host): string => join(stateFolder(host), 'built');

/** Names that a file may have, and a dev container. */
const nameForm = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Keeps where the user put an image, so that `tcf up NAME` finds it. It says nothing about trust. */
export async function rememberBuilt(host: Host, name: string, image: string): Promise<void> {
  if (!nameForm.test(name)) {
    return;
  }
  openPrivateFolder(host, folderOf(host));
  await writeUserFile(host, join(folderOf(host), `${name}.json`), `${JSON.stringify({ image })}\n`);
}

/**
 * The profile of an image that was built here; `undefined` where none was. A profile of that name that people
 * wrote goes before it.
 */
export async function builtProfile(host: Host, name: string): Promise<DevProfile | undefined> {
  const file = join(folderOf(host), `${name}.json`);
  if (!nameForm.test(name) || !fileExists(host, file)) {
    return undefined;
  }
  const bytes = await readPlainFile(host, file, jsonLimits.small.maxBytes, 'what was built here');
  const image = new Shape(parseJson(bytes, file, jsonLimits.small), file).get('image').string(1000);
  return compact({ image, device: ownImages[name] });
}
