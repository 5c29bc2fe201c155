import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Bytes, collect } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { FileRange } from './contract.ts';
import { compressionOf, decompressed } from './decompress.ts';
import { openRegular, range } from './files.ts';
import { cleanPath } from './names.ts';
import { PackedFile } from './packed-file.ts';
import { readTar, type TarEntry, type TarSink } from './tar.ts';

/** An archive of an image has some members for each layer, and 1000 layers at most. */
const maxMembers = 100_000;
/** A layer linked to a layer linked to a layer: docker links once. */
const maxLinks = 10;

/** A tar file with the places of its members. */
export interface Archive extends AsyncDisposable {
  has(path: string): boolean;
  /** Bytes of a member. */
  sizeOf(path: string): number | undefined;
  small(path: string, limit: number): Promise<Uint8Array | undefined>;
  stream(path: string): Bytes;
  /** Where a member begins in an archive that is read from its beginning each time. */
  readonly positionOf?: (path: string) => number | undefined;
  /** Where the bytes of a member lie; `undefined` in a compressed archive and for what is no member. */
  locate(path: string): FileRange | undefined;
}

/**
 * Reads the headers of an archive and keeps where each member lies; contents are read in any order, as often
 * as wanted: by position, or from the stream of a compressed archive, which is unpacked again for a member
 * that lies behind.
 *
 * @throws TcfError (exit 2) `image.archive`, and as `readTar` and `decompressed`.
 */
export async function openArchive(file: string, what: string): Promise<Archive> {
  const handle = await openRegular(file);
  if (handle === undefined) {
    throw cannotTell('image.archive', `there is no file ${quoted(file)}`);
  }
  try {
    const compression = compressionOf(await collect(range(handle, 0, 4), 4, what));
    return compression === 'none'
      ? await plainArchive(handle, file, what)
      : await openPackedArchive(
          () => decompressed(range(handle), '', what),
          () => handle.close(),
          what,
        );
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function plainArchive(handle: FileHandle, file: string, what: string): Promise<Archive> {
  const { size } = await handle.stat();
  const members = new Members(what);
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
        if (position >= size) {
          return;
        }
      }
    },
  };
  const skip = (count: number): boolean => {
    position += count;
    return position <= size;
  };
  const visit = (entry: TarEntry) => {
    members.add(entry);
    return undefined;
  };
  await readTar(chunks, visit, what, skip);
  return {
    ...archiveOf(members, (entry) => range(handle, entry.offset, entry.size), {
      [Symbol.asyncDispose]: () => handle.close(),
    }),
    locate(path) {
      const entry = members.find(path);
      return entry && { path: file, start: entry.offset, length: entry.size };
    },
  };
}

/**
 * As `openArchive`, for a tar stream that is read from its beginning each time.
 *
 * @param open gives the same bytes each time.
 */
export async function openPackedArchive(
  open: () => Bytes,
  close: () => Promise<void>,
  what: string,
): Promise<Archive> {
  const packed = new PackedFile(open, close, what);
  const members = new Members(what);
  await readTar(packed.all(), (entry) => members.keep(entry, members.add(entry)), what);
  return {
    ...archiveOf(members, (entry) => packed.range(entry.offset, entry.size), packed),
    positionOf: (path) => members.find(path)?.offset,
  };
}

/**
 * Documents of a compressed archive that are kept, since reading one again means to unpack what lies before
 * it.
 */
const keptLimits = { each: 8 * 1024 * 1024, all: 64 * 1024 * 1024 } as const;

/** `{` and `[`: configurations and indexes, and the manifest.json of docker. */
const jsonStarts: readonly number[] = [0x7b, 0x5b];

class Members {
  readonly what: string;
  readonly #entries: Map<string, TarEntry> = new Map();
  readonly #kept: Map<string, Uint8Array> = new Map();
  #keepLeft: number = keptLimits.all;

  constructor(what: string) {
    this.what = what;
  }

  /** The clean name. @throws TcfError `image.archive` (exit 2). */
  add(entry: TarEntry): string {
    if (entry.index >= maxMembers) {
      throw cannotTell('image.archive', `${this.what} has more than ${maxMembers} members`);
    }
    const name = cleanPath(entry.name);
    // Two readers would take two different ones.
    if (this.#entries.has(name) && entry.type !== 'directory') {
      throw cannotTell('image.archive', `${this.what} has two members of the name ${quoted(name)}`);
    }
    this.#entries.set(name, entry);
    return name;
  }

  /** Keeps a member that begins as a JSON document does. */
  keep({ size, stored, type }: TarEntry, name: string): TarSink | undefined {
    if (type !== 'file' || size !== stored || size > Math.min(keptLimits.each, this.#keepLeft)) {
      return undefined;
    }
    const chunks: Uint8Array[] = [];
    return {
      push: (chunk) => {
        if (chunks.length > 0 || jsonStarts.includes(chunk[0] ?? 0)) {
          chunks.push(Uint8Array.from(chunk));
        }
      },
      end: () => {
        const bytes = Buffer.concat(chunks);
        if (bytes.length !== size) {
          return;
        }
        this.#kept.set(name, bytes);
        this.#keepLeft -= size;
      },
    };
  }

  keptAt(entry: TarEntry): Uint8Array | undefined {
    return this.#kept.get(cleanPath(entry.name));
  }

  /** The file behind a name; links are followed. */
  find(path: string): TarEntry | undefined {
    let name = cleanPath(path);
    for (let hops = 0; hops <= maxLinks; hops += 1) {
      const member = this.#entries.get(name);
      if (member?.type === 'hardlink') {
        name = cleanPath(member.linkName);
      } else if (member?.type === 'symlink') {
        name = cleanPath(`${dirname(name)}/${member.linkName}`);
      } else {
        return member?.type === 'file' && member.size === member.stored ? member : undefined;
      }
    }
    return undefined;
  }
}

function archiveOf(members: Members, read: (entry: TarEntry) => Bytes, closing: AsyncDisposable): Archive {
  const { what } = members;
  async function* stream(path: string): Bytes {
    const member = members.find(path);
    if (member === undefined) {
      throw cannotTell('image.archive', `${what} has no member ${quoted(path)}`);
    }
    const kept = members.keptAt(member);
    if (kept === undefined) {
      yield* read(member);
    } else {
      yield kept;
    }
  }
  return {
    has: (path) => members.find(path) !== undefined,
    sizeOf: (path) => members.find(path)?.size,
    small: async (path, limit) =>
      members.find(path) === undefined
        ? undefined
        : await collect(stream(path), limit, `${quoted(path)} of ${what}`),
    stream,
    locate: () => undefined,
    [Symbol.asyncDispose]: () => closing[Symbol.asyncDispose](),
  };
}
