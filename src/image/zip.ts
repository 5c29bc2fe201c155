import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { cannotTell } from '../base/error.ts';
import { quoted } from '../base/text.ts';

/** One file of a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes, unpacked. */
  readonly size: number;
  /**
   * Hands the unpacked content on, in chunks, and checks size and checksum. @throws TcfError `zip.malformed`
   * (exit 2).
   */
  stream(push: (chunk: Uint8Array) => void): Promise<void>;
}

export interface ZipLimits {
  readonly entries: number;
  /** Bytes of the central directory. */
  readonly directory: number;
}

/**
 * Without zip64 an archive has no more; wheels of torch have 15,000. Names of 65,535 files of 200 bytes take
 * 16 MiB.
 */
const ordinary: ZipLimits = { entries: 65_535, directory: 32 * 1024 * 1024 };
/** A whole wheel has 4 GiB at most, and so has a file in it. */
const wide = 0xffff_ffff;
const endSize = 22;
const centralSize = 46;
const localSize = 30;

/**
 * Lists the files of a zip archive by its central directory (APPNOTE 4.3.12) and hands them to `read`; the
 * archive is closed afterwards. A name that stands twice, or leads out of the archive, is refused: readers
 * disagree on what it means.
 *
 * @throws TcfError `zip.malformed`, `zip.unreadable` (exit 2).
 */
export async function readZip<T>(
  path: string,
  read: (entries: readonly ZipEntry[]) => Promise<T>,
  limits: ZipLimits = ordinary,
): Promise<T> {
  const file = await open(path, 'r').catch((error: Error) => {
    throw cannotTell('zip.unreadable', `cannot read ${quoted(path)}: ${error.message}`);
  });
  try {
    return await read(await entriesOf(file, path, limits));
  } finally {
    await file.close();
  }
}

async function entriesOf(file: FileHandle, path: string, limits: ZipLimits): Promise<readonly ZipEntry[]> {
  const directory = await directoryOf(file, path, limits);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at + centralSize <= directory.length && directory.readUInt32LE(at) === 0x02014b50; ) {
    const nameEnd = at + centralSize + directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + centralSize, nameEnd);
    const isUnsafe = name.startsWith('/') || name.split('/').includes('..') || name.includes('\\');
    if (isUnsafe || entries.has(name)) {
      throw malformed(path, `names ${quoted(name)} twice or outside of it`);
    }
    if (!name.endsWith('/')) {
      entries.set(name, entryAt(file, directory, at, name, path));
    }
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    if (entries.size > limits.entries) {
      throw malformed(path, `has more than ${limits.entries} files`);
    }
  }
  return [...entries.values()];
}

/** The central directory, from what stands in the last 64 KiB of the archive. */
async function directoryOf(file: FileHandle, path: string, limits: ZipLimits): Promise<Buffer> {
  const { size } = await file.stat();
  const tail = await bytesAt(
    file,
    Math.max(0, size - endSize - 0xffff),
    Math.min(size, endSize + 0xffff),
    path,
  );
  const end = tail.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  if (end < 0 || end + endSize > tail.length) {
    throw malformed(path, 'has no directory');
  }
  const [length, start] = (await wideDirectory(file, tail, end, path)) ?? [
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (length > limits.directory || start + length > size) {
    throw malformed(path, 'has a directory that is not in it');
  }
  return await bytesAt(file, start, length, path);
}

const locatorSize = 20;
const wideEndSize = 56;

/**
 * Length and start of the directory by zip64 (APPNOTE 4.3.14 and 4.3.15); `undefined` where the archive has
 * none.
 */
async function wideDirectory(
  file: FileHandle,
  tail: Buffer,
  end: number,
  path: string,
): Promise<readonly [number, number] | undefined> {
  const locator = end - locatorSize;
  if (tail.readUInt32LE(end + 16) !== wide || locator < 0 || tail.readUInt32LE(locator) !== 0x07064b50) {
    return undefined;
  }
  const at = Number(tail.readBigUInt64LE(locator + 8));
  if (!Number.isSafeInteger(at)) {
    throw malformed(path, 'has a directory that is not in it');
  }
  const record = await bytesAt(file, at, wideEndSize, path);
  if (record.readUInt32LE(0) !== 0x06064b50) {
    throw malformed(path, 'has a directory that is not in it');
  }
  const numbers = [Number(record.readBigUInt64LE(40)), Number(record.readBigUInt64LE(48))] as const;
  if (!numbers.every(Number.isSafeInteger)) {
    throw malformed(path, 'has a directory that is not in it');
  }
  return numbers;
}

function entryAt(file: FileHandle, directory: Buffer, at: number, name: string, path: string): ZipEntry {
  const method = directory.readUInt16LE(at + 10);
  const checksum = directory.readUInt32LE(at + 16);
  const packed = directory.readUInt32LE(at + 20);
  const size = directory.readUInt32LE(at + 24);
  const local = directory.readUInt32LE(at + 42);
  const wrong = (why: string): Error => malformed(path, `has a file ${quoted(name)} that ${why}`);
  if (packed === wide || size === wide || (method !== 0 && method !== 8)) {
    throw wrong('cannot be unpacked');
  }
  return {
    name,
    size,
    async stream(push) {
      const header = await bytesAt(file, local, localSize, path);
      if (header.readUInt32LE(0) !== 0x04034b50) {
        throw wrong('is not where the directory says');
      }
      const start = local + localSize + header.readUInt16LE(26) + header.readUInt16LE(28);
      let seen = 0;
      let sum = 0;
      const take = (chunk: Uint8Array): void => {
        seen += chunk.length;
        if (seen > size) {
          throw wrong('is larger than the directory says');
        }
        sum = crc32(chunk, sum);
        push(chunk);
      };
      await unpack(chunksOf(file, start, packed, path), method, take, wrong);
      if (seen !== size || sum !== checksum) {
        throw wrong('does not have its checksum');
      }
    },
  };
}

async function unpack(
  chunks: AsyncIterable<Uint8Array>,
  method: number,
  take: (chunk: Uint8Array) => void,
  wrong: (why: string) => Error,
): Promise<void> {
  if (method === 0) {
    for await (const chunk of chunks) {
      take(chunk);
    }
    return;
  }
  const inflate = createInflateRaw();
  inflate.on('error', () => undefined);
  try {
    await pipeline(chunks, inflate, async (unpacked: AsyncIterable<Uint8Array>) => {
      for await (const chunk of unpacked) {
        take(chunk);
      }
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw wrong('is damaged');
    }
    throw error;
  }
}

async function* chunksOf(
  file: FileHandle,
  start: number,
  length: number,
  path: string,
): AsyncIterable<Uint8Array> {
  const step = 1024 * 1024;
  for (let at = 0; at < length; at += step) {
    yield await bytesAt(file, start + at, Math.min(step, length - at), path);
  }
}

async function bytesAt(file: FileHandle, start: number, length: number, path: string): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, start);
  if (bytesRead < length) {
    throw malformed(path, 'ends before its end');
  }
  return buffer;
}

function malformed(path: string, why: string): Error {
  return cannotTell('zip.malformed', `cannot read ${quoted(path)}: the archive ${why}`);
}
