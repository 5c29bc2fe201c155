import { existsSync, readdirSync } from 'node:fs';
import { programRunner } from '../system/programs.ts';
import { joinPath } from './names.ts';
import { blockSize, readHeader } from './tar-header.ts';
import { readPax } from './tar-pax.ts';

const tarPrograms = ['/usr/bin/tar', '/bin/tar'];
/** Half a million folders. */
const maxMarks = 512 * 1024 * 1024;
const opaqueMark = /^SCHILY\.xattr\.(?:trusted|user)\.(?:overlay|fuseoverlayfs)\.opaque$/;
const maxTime = 10 * 60_000;

/**
 * The folders of a layer of overlay, as latin1, that hide what lower layers have there. It stands in their
 * extended attributes, which Node does not read and GNU tar writes down; `undefined` where that cannot be
 * run.
 */
export async function opaqueFolders(root: string): Promise<readonly string[] | undefined> {
  const directories = foldersIn(root);
  const args = [
    ...['--create', '--file=-', '--format=posix', '--no-recursion', '--xattrs'],
    ...[
      '--xattrs-include=*overlay.opaque',
      '--xattrs-include=*overlayfs.opaque',
      '--warning=no-file-changed',
    ],
    ...[`--directory=${root}`, '--null', '--verbatim-files-from', '--files-from=-'],
  ];
  const input = Buffer.from(directories.map((path) => `./${path}\0`).join(''), 'latin1');
  for (const tar of tarPrograms.filter((path) => existsSync(path))) {
    const { code, stdout } = await programRunner({})(tar, args, input, {
      timeout: maxTime,
      output: maxMarks,
    });
    if (code === 0) {
      return marksIn(Buffer.from(stdout.buffer, stdout.byteOffset, stdout.length));
    }
  }
  return undefined;
}

/** The folders with the mark, in an archive that holds nothing but folders. */
function marksIn(archive: Buffer): readonly string[] {
  const marked: string[] = [];
  let records: ReadonlyMap<string, string> = new Map();
  for (let at = 0; at + blockSize <= archive.length; ) {
    const header = readHeader(archive.subarray(at, at + blockSize));
    if (header === undefined) {
      break;
    }
    at += blockSize;
    if (header.flag === 'x') {
      records = readPax(archive.toString('latin1', at, at + header.size)) ?? new Map();
      at += Math.ceil(header.size / blockSize) * blockSize;
      continue;
    }
    if ([...records].some(([key, value]) => opaqueMark.test(key) && value === 'y')) {
      const name = records.get('path') ?? header.name;
      marked.push(name.replace(/^\.\//, '').replace(/\/$/, ''));
    }
    records = new Map();
  }
  return marked;
}

function foldersIn(root: string): readonly string[] {
  const found = [''];
  for (let at = 0; at < found.length; at += 1) {
    const path = found[at] ?? '';
    const absolute = Buffer.from(joinPath(Buffer.from(root).toString('latin1'), path), 'latin1');
    for (const entry of readdirSync(absolute, { encoding: 'buffer', withFileTypes: true })) {
      if (entry.isDirectory()) {
        found.push(joinPath(path, entry.name.toString('latin1')));
      }
    }
  }
  return found.slice(1);
}
