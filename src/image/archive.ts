import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Bytes, collect } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { openRegular, range } from './files.ts';
import { cleanPath } from './names.ts';
import { readTar, type TarEntry } from './tar.ts';

/** An archive of an image has some members for each layer, and 1000 layers at most. */
const maxMembers = 100_000;
/** A layer linked to a layer linked to a layer: docker links once. */
const maxLinks = 10;

/** A tar file with the places of its members. */
export interface Archive extends AsyncDisposable {
  has(path: string): boolean;
  small(path: string, limit: number): Promise<Uint8Array | undefined>;
  stream(path: string): Bytes;
}

/**
 * Reads the headers of an archive and keeps where each member lies; contents are read by position, in any order, as often as wanted.
 *
 * @throws TcfError (exit 2) `image.archive`; a compressed archive is refused, since nothing in it can be found without unpacking all of it.
 */
export async function openArchive(file: string, what: string): Promise<Archive> {
  const handle = await openRegular(file);
  if (handle === undefined) throw cannotTell('image.archive', `there is no file ${quoted(file)}`);
  try {
    const members = await membersOf(handle, what);
    return archiveOf(handle, members, what);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function membersOf(handle: FileHandle, what: string): Promise<ReadonlyMap<string, TarEntry>> {
  await refuseCompressed(handle, what);
  const { size } = await handle.stat();
  const members = new Map<string, TarEntry>();
  const visit = (entry: TarEntry) => {
    if (entry.index >= maxMembers)
      throw cannotTell('image.archive', `${what} has more than ${maxMembers} members`);
    const name = cleanPath(entry.name);
    // Two readers would take two different ones.
    if (members.has(name) && entry.type !== 'directory')
      throw cannotTell('image.archive', `${what} has two members of the name ${quoted(name)}`);
    members.set(name, entry);
    return undefined;
  };
  let position = 0;
  const chunks = {
    async *[Symbol.asyncIterator]() {
      for (;;) {
        // A header is 512 bytes; what follows is mostly skipped.
        for await (const chunk of range(handle, position, 8192)) {
          position += chunk.length;
          yield chunk;
          break;
        }
        if (position >= size) return;
      }
    },
  };
  const skip = (count: number): boolean => {
    position += count;
    return position <= size;
  };
  await readTar(chunks, visit, what, skip);
  return members;
}

async function refuseCompressed(handle: FileHandle, what: string): Promise<void> {
  const head = await collect(range(handle, 0, 4), 4, what);
  const tools: readonly (readonly [string, string])[] = [
    ['1f8b', 'gunzip'],
    ['28b52ffd', 'zstd -d'],
    ['fd377a58', 'unxz'],
    ['425a68', 'bunzip2'],
  ];
  const tool = tools.find(([magic]) => Buffer.from(head).toString('hex').startsWith(magic))?.[1];
  if (tool === undefined) return;
  throw cannotTell('image.archive', `${what} is compressed`, { hint: `unpack it with ${tool} first` });
}

function archiveOf(handle: FileHandle, members: ReadonlyMap<string, TarEntry>, what: string): Archive {
  const find = (path: string): TarEntry | undefined => {
    let name = cleanPath(path);
    for (let hops = 0; hops <= maxLinks; hops += 1) {
      const member = members.get(name);
      if (member?.type === 'hardlink') name = cleanPath(member.linkName);
      else if (member?.type === 'symlink') name = cleanPath(`${dirname(name)}/${member.linkName}`);
      else return member?.type === 'file' && member.size === member.stored ? member : undefined;
    }
    return undefined;
  };
  async function* stream(path: string): Bytes {
    const member = find(path);
    if (member === undefined) throw cannotTell('image.archive', `${what} has no member ${quoted(path)}`);
    yield* range(handle, member.offset, member.size);
  }
  return {
    has: (path) => find(path) !== undefined,
    small: async (path, limit) =>
      find(path) === undefined ? undefined : await collect(stream(path), limit, `${quoted(path)} of ${what}`),
    stream,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}
