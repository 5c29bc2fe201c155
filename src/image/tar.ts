import { type Bytes, formatBytes } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import { ByteSource } from './byte-source.ts';
import { blockSize, isZero, type RawHeader, readHeader, readText } from './tar-header.ts';
import { type PaxRecords, readPax, toInteger } from './tar-pax.ts';
import { areSound, inlineSpans, oldGnuSpans, paxSpans, type Span, sparseKind } from './tar-sparse.ts';

export type TarType = 'directory' | 'file' | 'hardlink' | 'other' | 'symlink';

export interface TarEntry {
  /** Position in the archive, from 0; extended headers do not count. */
  readonly index: number;
  /** Bytes as latin1, as they stand in the archive: with `./`, `..` and all. */
  readonly name: string;
  readonly type: TarType;
  /** Bytes of a regular file as it would be on disk, with the holes of a sparse file. */
  readonly size: number;
  /** When the file was changed last, in whole seconds since 1970. */
  readonly modified: number;
  /** Bytes of the file that stand in the archive. */
  readonly stored: number;
  /** Target of a symbolic link, as written; name of the other entry for a hard link. Bytes as latin1. */
  readonly linkName: string;
  /** Where the stored bytes begin in the archive. */
  readonly offset: number;
}

/** Takes the bytes of one file, holes as zeros. Chunks may be of any size and must not be kept: copy what is needed. */
export interface TarSink {
  push(chunk: Uint8Array): void;
  end(): void;
}

export const tarLimits: Readonly<Record<'special' | 'name' | 'entries', number>> = {
  /** Extended headers and long names are read into memory; Go takes 1 MiB of each. */
  special: 1024 * 1024,
  /** PATH_MAX of Linux: a longer name cannot be unpacked in one piece, and no build makes one. */
  name: 4096,
  /** The largest images seen have 500 000 files in all layers together. */
  entries: 4_000_000,
};

const zeros = new Uint8Array(64 * 1024);

/**
 * Reads a tar archive as Go's archive/tar does, since every container engine is written in Go: where two readers understand an archive
 * differently, one of them can be shown files that the other does not see. ustar, star, GNU and PAX headers, long names, base-256 numbers,
 * all four sparse forms; a global PAX header changes nothing. What stands behind the end marker is read, for the digest of the stream, and not
 * looked at.
 *
 * `visit` sees each entry in order and answers with a sink where it wants the content.
 *
 * `jump` moves a seekable stream forward, so that unwanted content is not read at all.
 *
 * @throws TcfError `layer.tar` (exit 2) for an archive that Go would not read, or that is cut off.
 */
export async function readTar(
  bytes: Bytes,
  visit: (entry: TarEntry) => TarSink | undefined,
  what: string,
  jump?: (count: number) => boolean,
): Promise<void> {
  const source = new ByteSource(bytes, jump);
  try {
    await new TarReader(source, visit, what).read();
    if (jump === undefined) while ((await source.some(Number.MAX_SAFE_INTEGER)).length > 0);
  } finally {
    await source.close();
  }
}

class TarReader {
  readonly #source: ByteSource;
  readonly #visit: (entry: TarEntry) => TarSink | undefined;
  readonly #what: string;
  #entries = 0;
  #pax: PaxRecords = new Map();
  #longName = '';
  #longLink = '';

  constructor(source: ByteSource, visit: (entry: TarEntry) => TarSink | undefined, what: string) {
    this.#source = source;
    this.#visit = visit;
    this.#what = what;
  }

  async read(): Promise<void> {
    for (let header = await this.#header(); header !== undefined; header = await this.#header()) {
      if (header.flag === 'x') this.#pax = await this.#paxBody(header);
      else if (header.flag === 'L') this.#longName = await this.#special(header);
      else if (header.flag === 'K') this.#longLink = await this.#special(header);
      else if (header.flag === 'g') {
        await this.#paxBody(header);
        this.#reset();
      } else {
        await this.#entry(header);
        this.#reset();
      }
    }
  }

  #reset(): void {
    this.#pax = new Map();
    this.#longName = '';
    this.#longLink = '';
  }

  #wrong(why: string): TcfError {
    return cannotTell('layer.tar', `${this.#what} is not a tar archive that can be read: ${why}`);
  }

  /** `undefined` at the end: two blocks of zeros, or the end of the stream where a header might begin. */
  async #header(): Promise<RawHeader | undefined> {
    const block = await this.#source.exactly(blockSize);
    if (block.length === 0) return undefined;
    if (block.length < blockSize) throw this.#wrong('it is cut off inside a header');
    if (block[0] === 0 && isZero(block)) {
      const second = await this.#source.exactly(blockSize);
      if (second.length > 0 && second.length < blockSize) throw this.#wrong('it is cut off at its end');
      if (!isZero(second)) throw this.#wrong('a block of zeros stands between two entries');
      return undefined;
    }
    const header = readHeader(block);
    if (header === undefined) throw this.#wrong(`entry ${this.#entries} has a damaged header`);
    if (header.size < 0) throw this.#wrong(`entry ${this.#entries} has a negative size`);
    return header;
  }

  async #special(header: RawHeader): Promise<string> {
    const body = await this.#specialBody(header);
    return readText(body, 0, body.length);
  }

  async #paxBody(header: RawHeader): Promise<PaxRecords> {
    const records = readPax((await this.#specialBody(header)).toString('latin1'));
    if (records === undefined) throw this.#wrong(`entry ${this.#entries} has a damaged PAX header`);
    return records;
  }

  async #specialBody({ size }: RawHeader): Promise<Buffer> {
    if (size > tarLimits.special) {
      throw this.#wrong(
        `entry ${this.#entries} has an extended header larger than ${formatBytes(tarLimits.special)}`,
      );
    }
    const body = await this.#source.exactly(size + paddingOf(size));
    if (body.length < size) throw this.#wrong('it is cut off inside an extended header');
    return Buffer.from(body.buffer, body.byteOffset, size);
  }

  async #entry(header: RawHeader): Promise<void> {
    if (this.#entries >= tarLimits.entries)
      throw this.#wrong(`it has more than ${tarLimits.entries} entries`);
    const name = this.#longName || this.#pax.get('path') || header.name;
    const type = typeOf(header.flag, name);
    if (type === undefined) throw this.#wrong(`entry ${this.#entries} has a type that no engine unpacks`);
    const hasBody = type === 'file';
    const paxSize = this.#pax.get('size') || undefined;
    const size = paxSize === undefined ? header.size : toInteger(paxSize);
    if (size === undefined || size < 0) throw this.#wrong(`entry ${this.#entries} has an impossible size`);
    const stored = hasBody ? size : 0;
    const sparse = await this.#sparse(header, type, stored);
    const entry: TarEntry = {
      index: this.#entries,
      name: sparse?.name ?? name,
      type,
      size: sparse?.size ?? stored,
      modified: Math.floor(Number(this.#pax.get('mtime') || header.modified)),
      stored: sparse?.stored ?? stored,
      linkName: this.#longLink || this.#pax.get('linkpath') || header.linkName,
      offset: this.#source.taken,
    };
    if (entry.name.length > tarLimits.name || entry.linkName.length > tarLimits.name) {
      throw this.#wrong(`entry ${this.#entries} has a name longer than ${tarLimits.name} bytes`);
    }
    this.#entries += 1;
    const sink = this.#visit(entry);
    if (sparse === undefined) await this.#pass(entry.stored, sink);
    else await this.#passSparse(sparse.spans, entry.size, sink);
    sink?.end();
    // `umoci insert` writes no padding after its last entry; Go takes that for the end.
    await this.#source.skip(paddingOf(stored));
  }

  async #sparse(header: RawHeader, type: TarType, stored: number): Promise<Sparse | undefined> {
    const before = this.#source.taken;
    const name = this.#pax.get('GNU.sparse.name') || undefined;
    let size: number | undefined;
    let spans: readonly Span[] | undefined;
    if (header.flag === 'S') {
      // These blocks are part of the header: the stored bytes do not count them.
      const old = await oldGnuSpans(header, () => this.#block());
      size = old?.size;
      spans = old?.spans;
    } else {
      const kind = sparseKind(this.#pax);
      if (kind === undefined) return undefined;
      const stated = this.#pax.get('GNU.sparse.size') || this.#pax.get('GNU.sparse.realsize');
      size = stated ? toInteger(stated) : stored;
      spans = kind === 'pax' ? paxSpans(this.#pax) : await inlineSpans(() => this.#mapBlock(before, stored));
    }
    const rest = header.flag === 'S' ? stored : stored - (this.#source.taken - before);
    if (type !== 'file' || spans === undefined || size === undefined || !areSound(spans, size, rest)) {
      throw this.#wrong(`entry ${this.#entries} has a damaged sparse map`);
    }
    return { spans, size, stored: rest, ...(name === undefined || header.flag === 'S' ? {} : { name }) };
  }

  /** A map may not run into the next entry. */
  async #mapBlock(start: number, stored: number): Promise<Buffer | undefined> {
    return this.#source.taken - start + blockSize > stored ? undefined : this.#block();
  }

  async #block(): Promise<Buffer | undefined> {
    const block = await this.#source.exactly(blockSize);
    return block.length < blockSize ? undefined : Buffer.from(block.buffer, block.byteOffset, blockSize);
  }

  async #pass(count: number, sink: TarSink | undefined): Promise<void> {
    if (count === 0) return;
    if (sink === undefined) {
      if (await this.#source.skip(count)) return;
      throw this.#wrong(`it is cut off inside entry ${this.#entries - 1}`);
    }
    for (let left = count; left > 0; ) {
      const chunk = this.#source.ready(left) ?? (await this.#source.some(left));
      if (chunk.length === 0) throw this.#wrong(`it is cut off inside entry ${this.#entries - 1}`);
      sink.push(chunk);
      left -= chunk.length;
    }
  }

  async #passSparse(spans: readonly Span[], size: number, sink: TarSink | undefined): Promise<void> {
    let at = 0;
    for (const { offset, length } of spans) {
      if (sink) fillHole(offset - at, sink);
      await this.#pass(length, sink);
      at = offset + length;
    }
    if (sink) fillHole(size - at, sink);
  }
}

interface Sparse {
  readonly name?: string;
  readonly spans: readonly Span[];
  readonly size: number;
  readonly stored: number;
}

function fillHole(size: number, sink: TarSink): void {
  for (let left = size; left > 0; left -= zeros.length)
    sink.push(zeros.subarray(0, Math.min(left, zeros.length)));
}

function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

function typeOf(flag: string, name: string): TarType | undefined {
  switch (flag) {
    case '\0':
      return name.endsWith('/') ? 'directory' : 'file';
    case '0':
    case '7':
    case 'S':
      return 'file';
    case '1':
      return 'hardlink';
    case '2':
      return 'symlink';
    case '3':
    case '4':
    case '6':
      return 'other';
    case '5':
      return 'directory';
    default:
      return undefined;
  }
}
