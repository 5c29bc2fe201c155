import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Bytes } from '../../base/bytes.ts';
import { askedWrongly, reasonOf } from '../../base/error.ts';
import { quoted } from '../../base/text.ts';
import { damaged } from './sqlite.ts';

/*
 * The file is a database of SQLite (https://www.sqlite.org/fileformat.html, "The Database Header").
 * `application_id` says that it is one of tcf. `user_version` holds the CRC-32 of the whole file with these
 * four bytes as zeros, so that a copy that broke on the way is noticed before anybody believes it; who made
 * it is what a signature says. The fields in which SQLite counts changes and names its own version are fixed,
 * so that the same rows give the same bytes.
 */

const magic = Buffer.from('SQLite format 3\0', 'latin1');
/** `tcfv`. */
const applicationId = 0x74_63_66_76;
const changes = 24;
const checksumAt = 60;
const applicationAt = 68;
const validFor = 92;
const writtenBy = 96;
const fixedVersion = 3_045_000;
const headerSize = 100;
const chunkSize = 1024 * 1024;

/** OSV's whole export has some 600,000 records in 1.5 GB of text; without texts that is under 1 GiB. */
export const maxDatabase: number = 4 * 1024 * 1024 * 1024;

export interface FileFacts {
  /** `sha256:...`. */
  readonly digest: string;
  readonly size: number;
}

/**
 * Reads the file once, and proves that it is a whole database of tcf.
 *
 * @throws TcfError `file.unreadable` (exit 3), `db.damaged` (exit 2).
 */
export function checkDatabaseFile(path: string, what: string): FileFacts {
  const hash = createHash('sha256');
  let size = 0;
  let crc = 0;
  let stated = 0;
  for (const chunk of chunksOfFile(path, what)) {
    if (size === 0) {
      if (chunk.length < headerSize || !chunk.subarray(0, magic.length).equals(magic)) {
        throw damaged(what, 'it is not a database of SQLite');
      }
      if (chunk.readUInt32BE(applicationAt) !== applicationId) {
        throw damaged(what, 'it is a database of another program');
      }
      stated = chunk.readUInt32BE(checksumAt);
      hash.update(chunk);
      chunk.writeUInt32BE(0, checksumAt);
    } else {
      hash.update(chunk);
    }
    crc = crc32(chunk, crc);
    size += chunk.length;
    if (size > maxDatabase) {
      throw damaged(what, `it is larger than ${maxDatabase} bytes`);
    }
  }
  if (size === 0 || crc !== stated) {
    throw damaged(what, size === 0 ? 'it is empty' : 'its bytes are not those that were written');
  }
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/** A database that SQLite wrote, with the fields of its header as they are to be. */
export function sealed(path: string): { readonly open: () => Bytes } {
  const what = 'the new database';
  let crc = 0;
  let isFirst = true;
  for (const chunk of chunksOfFile(path, what)) {
    if (isFirst) {
      fixHeader(chunk, 0);
      isFirst = false;
    }
    crc = crc32(chunk, crc);
  }
  return {
    async *open() {
      let isHead = true;
      for (const chunk of chunksOfFile(path, what)) {
        if (isHead) {
          fixHeader(chunk, crc);
          isHead = false;
        }
        yield Uint8Array.from(chunk);
      }
    },
  };
}

function fixHeader(chunk: Buffer, crc: number): void {
  chunk.writeUInt32BE(1, changes);
  chunk.writeUInt32BE(crc, checksumAt);
  chunk.writeUInt32BE(applicationId, applicationAt);
  chunk.writeUInt32BE(1, validFor);
  chunk.writeUInt32BE(fixedVersion, writtenBy);
}

/**
 * In one buffer, which each chunk overwrites: the caller is done with the last one before it asks for the
 * next.
 */
function* chunksOfFile(path: string, what: string): Generator<Buffer> {
  const file = openFile(path, what);
  try {
    const buffer = Buffer.allocUnsafe(chunkSize);
    for (;;) {
      const size = readSync(file, buffer);
      if (size === 0) {
        return;
      }
      yield buffer.subarray(0, size);
    }
  } finally {
    closeSync(file);
  }
}

function openFile(path: string, what: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw askedWrongly('file.unreadable', `cannot read ${what}: ${reasonOf(error)}`, {
      hint: `check ${quoted(path)} and who may read it`,
      cause: error,
    });
  }
}
