import { isAbsolute, relative, resolve, sep } from 'node:path';
import { decodeUtf8 } from '../base/bytes.ts';
import { askedWrongly, cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { type Containerfile, parseContainerfile } from '../report/containerfile.ts';
import { readUserFile } from '../system/files.ts';
import type { Host } from '../system/host.ts';

/** The longest that people write by hand has some thousand lines. */
const maxContainerfile = 4 * 1024 * 1024;

/**
 * Reads the Containerfile that reports point into. Its path has to lead into the current folder, which is the
 * root of the checkout: platforms show no other file.
 *
 * @throws TcfError `containerfile.outside`, `file.unreadable` (exit 3), `containerfile.malformed` (exit 2).
 */
export async function readContainerfile(host: Host, file: string): Promise<Containerfile> {
  const path = relative(host.cwd, resolve(host.cwd, file)).split(sep).join('/');
  if (path === '' || path.startsWith('../') || isAbsolute(path)) {
    throw askedWrongly(
      'containerfile.outside',
      `the Containerfile ${quoted(file)} is not below this folder`,
      {
        hint: 'run tcf in the root of the checkout, and name the file from there',
      },
    );
  }
  const bytes = await readUserFile(host, file, maxContainerfile, 'the Containerfile');
  const text = decodeUtf8(bytes);
  const instructions = text === undefined ? [] : parseContainerfile(text);
  if (!instructions.some(({ keyword }) => keyword === 'FROM')) {
    throw cannotTell('containerfile.malformed', `${quoted(file)} has no FROM, so it is not a Containerfile`);
  }
  return { path, instructions };
}
