import type { FileHandle } from 'node:fs/promises';
import { type Bytes, collect } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { byCodeUnit, quoted } from '../base/text.ts';
import { fileBytes, openRegular, range } from './files.ts';
import { readTar, type TarEntry } from './tar.ts';
import { blockSize, readNumber } from './tar-header.ts';
import { type WrittenEntry, writeTar } from './tar-writer.ts';

/**
 * What programs leave behind while they install, which says when and where that was and nothing about the
 * image: logs, caches of apt, debconf and ldconfig, locks, copies of what was before, names of the machine.
 */
const volatile: readonly RegExp[] = [
  /^(?:dev|proc|run|sys|tmp|var\/tmp|root\/\.cache)\/./,
  /^etc\/(?:hostname|hosts|machine-id|mtab|resolv\.conf|\.pwd\.lock|(?:group|gshadow|passwd|shadow|subgid|subuid)-)$/,
  /^var\/lib\/dbus\/machine-id$/,
  /^var\/lib\/systemd\/(?:catalog\/database|random-seed)$/,
  /^var\/log\/.*[^/]$/,
  /^var\/cache\/(?:apt|debconf|ldconfig|man|dnf|yum|fontconfig)\/.*[^/]$/,
  /^var\/lib\/apt\/(?:lists|periodic)\/./,
  /^var\/lib\/dpkg\/(?:lock|lock-frontend|triggers\/Lock|[^/]*-old)$/,
  /^var\/lib\/(?:dnf|rpm)\/(?:history|\.rpm\.lock|__db)/,
];

/** What engines touch when they mount on it, each its own ones, and others without root. */
const mountPoints: ReadonlySet<string> = new Set(['dev/', 'proc/', 'run/', 'sys/']);

/** Whether a path, without a slash in front, is left out of every layer. */
export function isVolatile(path: string): boolean {
  return volatile.some((pattern) => pattern.test(path));
}

interface SourceEntry extends WrittenEntry {
  /** Where the content begins in the archive. */
  readonly offset: number;
}

/** A layer in the one form that its content has. */
export interface NormalLayer {
  /** How many entries were left out, by `isVolatile` or as devices. */
  readonly dropped: number;
  readonly entries: readonly WrittenEntry[];
  /** The archive; may be read again. */
  tar(): Bytes;
}

/**
 * Brings an unpacked layer in its normal form: sorted by name, no time after `epoch`, no names of users, no
 * extended attributes, no set-user-ID and set-group-ID bits on files, no devices, nothing volatile, and of
 * the names of one file the first holds the content. Two builds of the same content give the same bytes.
 *
 * @param epoch seconds since 1970.
 * @param isLowest whether nothing lies below: then the folders that engines mount on are its own.
 * @throws TcfError `layer.tar`, `layer.sparse` (exit 2).
 */
export async function normalLayer(path: string, epoch: number, isLowest = true): Promise<NormalLayer> {
  const what = `the layer ${quoted(path)}`;
  const read: TarEntry[] = [];
  await readTar(
    fileBytes(path),
    (entry) => {
      read.push(entry);
      return undefined;
    },
    what,
  );
  const sparse = read.find(({ size, stored, type }) => type === 'file' && size !== stored);
  if (sparse !== undefined) {
    throw cannotTell(
      'layer.sparse',
      `${what} holds the sparse file ${quoted(sparse.name)}, which has no normal form`,
    );
  }
  const handle = await openRegular(path);
  if (handle === undefined) {
    throw cannotTell('image.file', `${what} is gone`);
  }
  try {
    const all: SourceEntry[] = [];
    for (const entry of read) {
      all.push(...(await toSource(handle, entry, epoch)));
    }
    const kept = isLowest ? all : all.filter(({ name }) => !mountPoints.has(name));
    const entries = withoutEmptyCaches(withFirstNames(lastOfEach(kept))).toSorted((a, b) =>
      byCodeUnit(a.name, b.name),
    );
    return { entries, dropped: read.length - entries.length, tar: () => writeTar(entries, contentIn(path)) };
  } finally {
    await handle.close();
  }
}

function contentIn(path: string): (entry: WrittenEntry) => Bytes {
  return async function* (entry) {
    const handle = await openRegular(path);
    if (handle === undefined) {
      throw cannotTell('image.file', `the layer ${quoted(path)} is gone`);
    }
    try {
      yield* range(handle, (entry as SourceEntry).offset, entry.size);
    } finally {
      await handle.close();
    }
  };
}

async function toSource(handle: FileHandle, entry: TarEntry, epoch: number): Promise<readonly SourceEntry[]> {
  const path = plain(entry.name);
  const isDirectory = entry.type === 'directory';
  const name = isDirectory ? `${path}/` : path;
  if (entry.type === 'other' || path === '' || isVolatile(name)) {
    return [];
  }
  if (await isDatedPython(handle, entry)) {
    return [];
  }
  // The header stands before the content; mode, user and group are nowhere else.
  const block = Buffer.from(
    await collect(range(handle, entry.offset - blockSize, blockSize), blockSize, 'a header'),
  );
  const mode = readNumber(block, 100, 108) ?? 0;
  return [
    {
      name,
      type: entry.type,
      mode: isDirectory ? mode & 0o7777 : mode & 0o1777,
      uid: readNumber(block, 108, 116) ?? 0,
      gid: readNumber(block, 116, 124) ?? 0,
      modified: Math.max(0, Math.min(entry.modified, epoch)),
      size: entry.type === 'file' ? entry.size : 0,
      linkName: linkNameOf(entry),
      offset: entry.offset,
    },
  ];
}

/**
 * Compiled Python that is valid by the time of its source (PEP 552, flags 0): in a layer whose times are
 * others it is stale. What is valid by a hash stays.
 */
async function isDatedPython(handle: FileHandle, { name, offset, size, type }: TarEntry): Promise<boolean> {
  if (type !== 'file' || !name.endsWith('.pyc') || size < 16) {
    return false;
  }
  const head = Buffer.from(await collect(range(handle, offset, 8), 8, 'the head of compiled Python'));
  return head.readUInt32LE(4) === 0;
}

/** Folders that only held what was left out. */
function withoutEmptyCaches(entries: readonly SourceEntry[]): readonly SourceEntry[] {
  const held = new Set(
    entries.flatMap(({ name, type }) =>
      type === 'directory' ? [] : [name.slice(0, name.lastIndexOf('/') + 1)],
    ),
  );
  return entries.filter(({ name }) => !name.endsWith('/__pycache__/') || held.has(name));
}

/** Of a hard link a name in the archive, of a symbolic one what it says. */
function linkNameOf({ linkName, type }: TarEntry): string {
  if (type === 'symlink') {
    return linkName;
  }
  return type === 'hardlink' ? plain(linkName) : '';
}

/** Without `./` and slashes around it. */
function plain(name: string): string {
  return name
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');
}

/** Of two entries of one name the later one counts, as when the archive is unpacked. */
function lastOfEach(entries: readonly SourceEntry[]): readonly SourceEntry[] {
  return [...new Map(entries.map((entry) => [plain(entry.name), entry])).values()];
}

/** Engines write the content with the name that they come to first; here that is the first in order. */
function withFirstNames(entries: readonly SourceEntry[]): readonly SourceEntry[] {
  const files = new Map(entries.filter(({ type }) => type === 'file').map((entry) => [entry.name, entry]));
  const groups = new Map<string, SourceEntry[]>();
  for (const entry of entries) {
    const holder = entry.type === 'hardlink' ? entry.linkName : entry.name;
    if (entry.type === 'hardlink' && files.has(holder)) {
      groups.set(holder, [...(groups.get(holder) ?? []), entry]);
    }
  }
  const renamed = new Map<string, SourceEntry>();
  for (const [holder, links] of groups) {
    const file = files.get(holder);
    const names = [holder, ...links.map(({ name }) => name)].sort(byCodeUnit);
    const [first = holder, ...others] = names;
    if (file !== undefined) {
      renamed.set(first, { ...file, name: first });
      for (const name of others) {
        renamed.set(name, { ...file, name, type: 'hardlink', size: 0, linkName: first });
      }
    }
  }
  return entries.map((entry) => renamed.get(entry.name) ?? entry);
}
