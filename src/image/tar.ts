import type { Bytes } from '../base/bytes.ts';
import { cannotTell, type TcfError } from '../base/error.ts';
import { formatBytes } from '../base/size.ts';
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

/**
 * Takes the bytes of one file, holes as zeros. Chunks may be of any size and are used again: they must not be
 * kept: copy what is needed.
 */
export interface TarSink {
  push(chunk: Uint8Array): void;
  end(): void;
  /** Whether the bytes that follow are of no use to it: they may be left out. */
  readonly isDone?: boolean;
  /**
   * Whether it needs the bytes that start at `at` of `chunk`, or any that follow; asked before each `push`.
   */
  isOfUse?(chunk: Uint8Array, at: number): boolean;
}

/** Sees each entry of an archive in order, and answers with a sink where it wants the content. */
export type TarVisitor = (entry: TarEntry) => TarSink | undefined;

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
 * Reads a tar archive as Go's archive/tar does, since every container engine is written in Go: where two
 * readers understand an archive differently, one of them can be shown files that the other does not see.
 * ustar, star, GNU and PAX headers, long names, base-256 numbers, all four sparse forms; a global PAX header
 * changes nothing. What stands behind the end marker is not looked at.
 *
 * `jump` moves a seekable stream forward, so that unwanted content is not read at all; `false`: its end was
 * reached before.
 *
 * @throws TcfError `layer.tar` (exit 2) for an archive that Go would not read, or that is cut off.
 */
export async function readTar(
  bytes: Bytes,
  visit: TarVisitor,
  what: string,
  jump?: (count: number) => boolean,
): Promise<void> {
  const reader = new TarReader(visit, what);
  for await (const chunk of bytes) {
    reader.push(chunk);
    if (jump === undefined) {
      continue;
    }
    if (reader.isDone) {
      break;
    }
    for (let ahead = reader.ahead; ahead > 0; ahead = reader.ahead) {
      reader.leaveOut(ahead, jump(ahead));
    }
  }
  reader.end();
}

/** Stops where more bytes are needed and goes on with them. */
type Reading<T> = Generator<undefined, T, Buffer>;

/** What the archive is read for at this moment: `take` bytes in one piece, or `left` bytes that go by. */
interface Need {
  take: number;
  left: number;
  sink: TarSink | undefined;
}

/** A tar archive that arrives in pieces of any size; see `readTar`. */
export class TarReader {
  readonly #visit: TarVisitor;
  readonly #what: string;
  readonly #reading: Reading<void>;
  readonly #need: Need = { take: 0, left: 0, sink: undefined };
  /** The beginning of a piece that two chunks share. */
  #held: Buffer = Buffer.alloc(0);
  #filled = 0;
  #taken = 0;
  #isCut = false;
  #isDone = false;
  #entries = 0;
  #pax: PaxRecords = new Map();
  #longName = '';
  #longLink = '';

  constructor(visit: TarVisitor, what: string) {
    this.#visit = visit;
    this.#what = what;
    this.#reading = this.#read();
    this.#goOn(none);
  }

  /** Whether the end marker was read: what follows is of no interest. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The next bytes; the chunk may be used again afterwards. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#isDone; ) {
      at = this.#need.take > 0 ? this.#fill(chunk, at) : this.#pass(chunk, at);
    }
  }

  /** The archive has no more bytes. */
  end(): void {
    while (!this.#isDone) {
      this.#isCut = true;
      const { take } = this.#need;
      this.#need.left = 0;
      this.#goOn(take > 0 ? this.#held.subarray(0, this.#filled) : none);
      this.#filled = 0;
    }
  }

  /** Bytes that nobody looks at and that may be left out. */
  get ahead(): number {
    return this.#need.take === 0 && this.#need.sink === undefined ? this.#need.left : 0;
  }

  /** `count` bytes of `ahead` were left out; `false`: the archive ended before. */
  leaveOut(count: number, isThere: boolean): void {
    if (!isThere) {
      this.end();
      return;
    }
    this.#need.left -= count;
    this.#taken += count;
    if (this.#need.left === 0) {
      this.#goOn(none);
    }
  }

  #goOn(bytes: Buffer): void {
    this.#need.take = 0;
    if (this.#reading.next(bytes).done === true) {
      this.#isDone = true;
    }
  }

  #fill(chunk: Uint8Array, at: number): number {
    const { take } = this.#need;
    const missing = take - this.#filled;
    const end = Math.min(at + missing, chunk.length);
    this.#taken += end - at;
    // Nearly always the chunk holds the whole piece, and nothing is copied.
    if (this.#filled === 0 && end - at === take) {
      this.#goOn(Buffer.from(chunk.buffer, chunk.byteOffset + at, take));
      return end;
    }
    if (this.#filled === 0) {
      this.#held = Buffer.allocUnsafe(take);
    }
    this.#held.set(chunk.subarray(at, end), this.#filled);
    this.#filled += end - at;
    if (this.#filled === take) {
      this.#filled = 0;
      this.#goOn(this.#held);
    }
    return end;
  }

  #pass(chunk: Uint8Array, at: number): number {
    const need = this.#need;
    const end = Math.min(at + need.left, chunk.length);
    const { sink } = need;
    if (sink?.isOfUse?.(chunk, at) === false) {
      need.sink = undefined;
    } else if (sink !== undefined) {
      sink.push(at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
      need.sink = sink.isDone === true ? undefined : sink;
    }
    need.left -= end - at;
    this.#taken += end - at;
    if (need.left === 0) {
      this.#goOn(none);
    }
    return end;
  }

  *#read(): Reading<void> {
    for (let header = yield* this.#header(); header !== undefined; header = yield* this.#header()) {
      if (header.flag === 'x') {
        this.#pax = yield* this.#paxBody(header);
      } else if (header.flag === 'L') {
        this.#longName = yield* this.#special(header);
      } else if (header.flag === 'K') {
        this.#longLink = yield* this.#special(header);
      } else if (header.flag === 'g') {
        yield* this.#paxBody(header);
        this.#forget();
      } else {
        yield* this.#entry(header);
        this.#forget();
      }
    }
  }

  #forget(): void {
    this.#pax = noRecords;
    this.#longName = '';
    this.#longLink = '';
  }

  #wrong(why: string): TcfError {
    return cannotTell('layer.tar', `${this.#what} is not a tar archive that can be read: ${why}`);
  }

  /** So many bytes in one piece, until the next ones are asked for; fewer only at the end. */
  *#exactly(count: number): Reading<Buffer> {
    this.#need.take = count;
    return yield;
  }

  /** `undefined` at the end: two blocks of zeros, or the end of the stream where a header might begin. */
  *#header(): Reading<RawHeader | undefined> {
    const block = yield* this.#exactly(blockSize);
    if (block.length === 0) {
      return undefined;
    }
    if (block.length < blockSize) {
      throw this.#wrong('it is cut off inside a header');
    }
    if (block[0] === 0 && isZero(block)) {
      const second = yield* this.#exactly(blockSize);
      if (second.length > 0 && second.length < blockSize) {
        throw this.#wrong('it is cut off at its end');
      }
      if (!isZero(second)) {
        throw this.#wrong('a block of zeros stands between two entries');
      }
      return undefined;
    }
    const header = readHeader(block);
    if (header === undefined) {
      throw this.#wrong(`entry ${this.#entries} has a damaged header`);
    }
    if (header.size < 0) {
      throw this.#wrong(`entry ${this.#entries} has a negative size`);
    }
    return header;
  }

  *#special(header: RawHeader): Reading<string> {
    const body = yield* this.#specialBody(header);
    return readText(body, 0, body.length);
  }

  *#paxBody(header: RawHeader): Reading<PaxRecords> {
    const records = readPax((yield* this.#specialBody(header)).toString('latin1'));
    if (records === undefined) {
      throw this.#wrong(`entry ${this.#entries} has a damaged PAX header`);
    }
    return records;
  }

  *#specialBody({ size }: RawHeader): Reading<Buffer> {
    if (size > tarLimits.special) {
      throw this.#wrong(
        `entry ${this.#entries} has an extended header larger than ${formatBytes(tarLimits.special)}`,
      );
    }
    const whole = size + paddingOf(size);
    const body = whole === 0 ? none : yield* this.#exactly(whole);
    if (body.length < size) {
      throw this.#wrong('it is cut off inside an extended header');
    }
    return body.subarray(0, size);
  }

  *#entry(header: RawHeader): Reading<void> {
    if (this.#entries >= tarLimits.entries) {
      throw this.#wrong(`it has more than ${tarLimits.entries} entries`);
    }
    const name = this.#longName || this.#pax.get('path') || header.name;
    const type = typeOf(header.flag, name);
    if (type === undefined) {
      throw this.#wrong(`entry ${this.#entries} has a type that no engine unpacks`);
    }
    const hasBody = type === 'file';
    const paxSize = this.#pax.get('size') || undefined;
    const size = paxSize === undefined ? header.size : toInteger(paxSize);
    if (size === undefined || size < 0) {
      throw this.#wrong(`entry ${this.#entries} has an impossible size`);
    }
    const stored = hasBody ? size : 0;
    const sparse = yield* this.#sparse(header, type, stored);
    const entry: TarEntry = {
      index: this.#entries,
      name: sparse?.name ?? name,
      type,
      size: sparse?.size ?? stored,
      modified: Math.floor(Number(this.#pax.get('mtime') || header.modified)),
      stored: sparse?.stored ?? stored,
      linkName: this.#longLink || this.#pax.get('linkpath') || header.linkName,
      offset: this.#taken,
    };
    if (entry.name.length > tarLimits.name || entry.linkName.length > tarLimits.name) {
      throw this.#wrong(`entry ${this.#entries} has a name longer than ${tarLimits.name} bytes`);
    }
    this.#entries += 1;
    const sink = this.#visit(entry);
    if (sparse === undefined) {
      yield* this.#body(entry.stored, sink);
    } else {
      yield* this.#sparseBody(sparse.spans, entry.size, sink);
    }
    sink?.end();
    // `umoci insert` writes no padding after its last entry; Go takes that for the end.
    const padding = paddingOf(stored);
    if (padding > 0) {
      yield* this.#goBy(padding, undefined);
    }
  }

  *#sparse(header: RawHeader, type: TarType, stored: number): Reading<Sparse | undefined> {
    const before = this.#taken;
    const name = this.#pax.get('GNU.sparse.name') || undefined;
    let size: number | undefined;
    let spans: readonly Span[] | undefined;
    if (header.flag === 'S') {
      // These blocks are part of the header: the stored bytes do not count them.
      const old = yield* oldGnuSpans(header, () => this.#block());
      size = old?.size;
      spans = old?.spans;
    } else {
      const kind = sparseKind(this.#pax);
      if (kind === undefined) {
        return undefined;
      }
      const stated = this.#pax.get('GNU.sparse.size') || this.#pax.get('GNU.sparse.realsize');
      size = stated ? toInteger(stated) : stored;
      spans = kind === 'pax' ? paxSpans(this.#pax) : yield* inlineSpans(() => this.#mapBlock(before, stored));
    }
    const rest = header.flag === 'S' ? stored : stored - (this.#taken - before);
    if (type !== 'file' || spans === undefined || size === undefined || !areSound(spans, size, rest)) {
      throw this.#wrong(`entry ${this.#entries} has a damaged sparse map`);
    }
    return { spans, size, stored: rest, ...(name === undefined || header.flag === 'S' ? {} : { name }) };
  }

  /** A map may not run into the next entry. */
  *#mapBlock(start: number, stored: number): Reading<Buffer | undefined> {
    return this.#taken - start + blockSize > stored ? undefined : yield* this.#block();
  }

  *#block(): Reading<Buffer | undefined> {
    const block = yield* this.#exactly(blockSize);
    return block.length < blockSize ? undefined : block;
  }

  *#goBy(count: number, sink: TarSink | undefined): Reading<void> {
    this.#need.left = count;
    this.#need.sink = sink;
    yield;
  }

  *#body(count: number, sink: TarSink | undefined): Reading<void> {
    if (count === 0) {
      return;
    }
    yield* this.#goBy(count, sink);
    if (this.#isCut) {
      throw this.#wrong(`it is cut off inside entry ${this.#entries - 1}`);
    }
  }

  *#sparseBody(spans: readonly Span[], size: number, sink: TarSink | undefined): Reading<void> {
    let at = 0;
    for (const { offset, length } of spans) {
      if (sink) {
        fillHole(offset - at, sink);
      }
      yield* this.#body(length, sink);
      at = offset + length;
    }
    if (sink) {
      fillHole(size - at, sink);
    }
  }
}

const none: Buffer = Buffer.alloc(0);
const noRecords: PaxRecords = new Map();

interface Sparse {
  readonly name?: string;
  readonly spans: readonly Span[];
  readonly size: number;
  readonly stored: number;
}

function fillHole(size: number, sink: TarSink): void {
  for (let left = size; left > 0; left -= zeros.length) {
    sink.push(zeros.subarray(0, Math.min(left, zeros.length)));
  }
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
