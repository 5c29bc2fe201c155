import type { Bytes } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { blockSize } from './tar-header.ts';

/**
 * One entry as it is written; what is not here (names of users, extended attributes, other times) is not in
 * the archive.
 */
export interface WrittenEntry {
  /** Bytes as latin1, relative, a directory with a slash at its end. */
  readonly name: string;
  readonly type: 'directory' | 'file' | 'hardlink' | 'symlink';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, whole. */
  readonly modified: number;
  /** Bytes of a file; 0 for all else. */
  readonly size: number;
  /** Target of a link, bytes as latin1. */
  readonly linkName: string;
}

const flags = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const;
/** Above these a number does not fit its octal field, and stands in an extended header. */
const maxSize = 0o77777777777;
const maxId = 0o7777777;

/**
 * Writes a tar archive: ustar (POSIX.1-1988), and a PAX header where a name is longer than 100 bytes or not
 * ASCII, or a number too large. The same entries give the same bytes.
 */
export async function* writeTar(
  entries: Iterable<WrittenEntry>,
  contentOf: (entry: WrittenEntry) => Bytes,
): Bytes {
  for (const entry of entries) {
    yield headerOf(entry);
    if (entry.type !== 'file') {
      continue;
    }
    let size = 0;
    for await (const chunk of contentOf(entry)) {
      size += chunk.length;
      yield chunk;
    }
    if (size !== entry.size) {
      throw cannotTell('layer.tar', `${quoted(entry.name)} has ${size} bytes in place of ${entry.size}`);
    }
    yield Buffer.alloc(padding(size));
  }
  yield Buffer.alloc(2 * blockSize);
}

const padding = (size: number): number => (blockSize - (size % blockSize)) % blockSize;

function headerOf(entry: WrittenEntry): Uint8Array {
  const records = paxRecords(entry);
  const block = blockOf(entry, flags[entry.type], entry.size);
  if (records.length === 0) {
    return block;
  }
  const body = Buffer.concat(records);
  const pax = { ...entry, name: 'PaxHeaders/entry', linkName: '', mode: 0o644, uid: 0, gid: 0 };
  return Buffer.concat([blockOf(pax, 'x', body.length), body, Buffer.alloc(padding(body.length)), block]);
}

function paxRecords({ gid, linkName, name, size, uid }: WrittenEntry): readonly Buffer[] {
  const isLong = (text: string): boolean => text.length > 100 || /[^\x20-\x7e]/.test(text);
  return [
    ...(gid > maxId ? [paxRecord('gid', String(gid))] : []),
    ...(isLong(linkName) ? [paxRecord('linkpath', linkName)] : []),
    ...(isLong(name) ? [paxRecord('path', name)] : []),
    ...(size > maxSize ? [paxRecord('size', String(size))] : []),
    ...(uid > maxId ? [paxRecord('uid', String(uid))] : []),
  ];
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself (POSIX pax, "Extended Header"). */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`, 'latin1');
  let length = rest.length;
  while (length !== rest.length + String(length).length) {
    length = rest.length + String(length).length;
  }
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function blockOf(entry: WrittenEntry, flag: string, size: number): Buffer {
  const block = Buffer.alloc(blockSize);
  const text = (value: string, at: number, length: number) =>
    block.write(value.slice(0, length), at, length, 'latin1');
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, length, 'latin1');
  text(entry.name, 0, 100);
  octal(entry.mode, 100, 8);
  octal(Math.min(entry.uid, maxId), 108, 8);
  octal(Math.min(entry.gid, maxId), 116, 8);
  octal(Math.min(size, maxSize), 124, 12);
  octal(entry.modified, 136, 12);
  text(' '.repeat(8), 148, 8);
  text(flag, 156, 1);
  text(entry.linkName, 157, 100);
  text('ustar\x0000', 257, 8);
  octal(0, 329, 8);
  octal(0, 337, 8);
  const sum = block.reduce((all, byte) => all + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}
