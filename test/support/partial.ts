import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { archive, file } from './tar.ts';

/** An entry of a table of contents as it stands in JSON; `content` goes into the blob. */
export interface TocLine {
  readonly type: string;
  readonly name: string;
  readonly linkName?: string;
  readonly content?: string;
  /** Bytes of a piece; a file has one where nothing is said. */
  readonly piece?: number;
  /** Over what is right. */
  readonly [liar: string]: unknown;
}

export interface PartialBlob {
  readonly blob: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
  readonly toc: { readonly version: number; readonly entries: readonly Readonly<Record<string, unknown>>[] };
}

const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface Written {
  readonly entries: Record<string, unknown>[];
  readonly parts: Buffer[];
  at: number;
}

/** What stands before the first content: the headers of an archive, which nobody reads here. */
function write(lines: readonly TocLine[], pack: (bytes: Uint8Array) => Buffer): Written {
  const written: Written = { entries: [], parts: [pack(Buffer.from('headers'))], at: 0 };
  written.at = written.parts[0]?.length ?? 0;
  for (const { content = '', piece = content.length, ...line } of lines) {
    const bytes = Buffer.from(content, 'latin1');
    const pieces = bytes.length === 0 ? [] : [...Array(Math.ceil(bytes.length / piece)).keys()];
    const made = pieces.map((number) => {
      const plain = bytes.subarray(number * piece, (number + 1) * piece);
      const packed = pack(plain);
      const offset = written.at;
      written.parts.push(packed);
      written.at += packed.length;
      return { offset, chunkOffset: number * piece, chunkSize: plain.length, chunkDigest: sha256(plain) };
    });
    const [first, ...others] = made;
    const own =
      bytes.length === 0
        ? {}
        : { size: bytes.length, digest: sha256(bytes), endOffset: written.at, ...first };
    written.entries.push({ modtime: '2026-11-30T18:17:20Z', ...own, ...line });
    written.entries.push(...others.map((other) => ({ type: 'chunk', name: line.name, ...other })));
  }
  return written;
}

/** A layer as podman writes it with `--compression-format zstd:chunked`. */
export function chunkedLayer(lines: readonly TocLine[], version = 1): PartialBlob {
  const { at, entries, parts } = write(lines, (bytes) => zstdCompressSync(bytes));
  const toc = { version, entries };
  const plain = Buffer.from(JSON.stringify(toc));
  const packed = zstdCompressSync(plain);
  const head = skippable(packed.length);
  const footer = Buffer.alloc(40);
  const start = at + head.length;
  for (const [place, value] of [start, packed.length, plain.length, 1].entries()) {
    footer.writeBigUInt64LE(BigInt(value), 8 * place);
  }
  footer.write('GNUlInUx', 32, 'latin1');
  return {
    blob: Buffer.concat([...parts, head, packed, skippable(footer.length), footer]),
    annotations: {
      'io.github.containers.zstd-chunked.manifest-checksum': sha256(packed),
      'io.github.containers.zstd-chunked.manifest-position': `${start}:${packed.length}:${plain.length}:1`,
    },
    toc,
  };
}

function skippable(length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50, 0);
  head.writeUInt32LE(length, 4);
  return head;
}

/** A layer as stargz-snapshotter writes it. */
export function stargzLayer(lines: readonly TocLine[], version = 1): PartialBlob {
  const { at, entries, parts } = write(lines, (bytes) => gzipSync(bytes));
  const toc = { version, entries };
  const json = Buffer.from(JSON.stringify(toc));
  return {
    blob: Buffer.concat([...parts, gzipSync(archive(file('stargz.index.json', json))), stargzFooter(at)]),
    annotations: { 'containerd.io/snapshot/stargz/toc.digest': sha256(json) },
    toc,
  };
}

/** 51 bytes: an empty gzip member with the position in its extra field. */
export function stargzFooter(position: number): Buffer {
  const extra = Buffer.from(`${position.toString(16).padStart(16, '0')}STARGZ`, 'latin1');
  const head = Buffer.from([
    0x1f,
    0x8b,
    8,
    4,
    0,
    0,
    0,
    0,
    0,
    255,
    extra.length + 4,
    0,
    0x53,
    0x47,
    extra.length,
    0,
  ]);
  return Buffer.concat([head, extra, Buffer.from([1, 0, 0, 255, 255]), Buffer.alloc(8)]);
}
