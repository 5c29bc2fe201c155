import type { Segment } from '../programs/elf.ts';
import type { ProgramPart } from '../programs/parts.ts';

const magic: Buffer = Buffer.from('\xff Go buildinf:', 'latin1');
const alignment = 16;
const blobHeader = 32;
const isBigEndian = 1;
const isInline = 2;
/** The module information stands between two of 16 bytes each. */
const frame = 16;

/** Of one file. syft has 26 KB, with 450 modules. */
const maxModuleText = 1024 * 1024;
const maxVersion = 256;

/** What a program says of itself. */
export interface RawBuildInfo {
  readonly go: string;
  /**
   * The lines of `go version -m`. Absent where they cannot be read; empty where the program was built without
   * modules.
   */
  readonly modules?: string;
}

/** What a program has in memory once it is loaded, as far as it was kept. */
export interface Memory {
  readonly data: readonly Piece[];
  /** What lies at an address; `undefined` where it was not kept whole. */
  read(address: number, size: number): Buffer | undefined;
}

interface Piece {
  readonly address: number;
  readonly bytes: Buffer;
}

export function memoryOf(parts: readonly ProgramPart[], segments: readonly Segment[]): Memory {
  const pieces = parts.flatMap(({ at, bytes }) =>
    segments
      .filter((segment) => segment.at === at)
      .map(({ address, isWritable }) => ({ address, bytes, isWritable })),
  );
  return {
    data: pieces.filter(({ isWritable }) => isWritable),
    read(address, size) {
      for (const piece of pieces) {
        const from = address - piece.address;
        if (from >= 0 && from + size <= piece.bytes.length) {
          return piece.bytes.subarray(from, from + size);
        }
      }
      return undefined;
    },
  };
}

/** As `readRawBuildInfo` of debug/buildinfo does it. */
export function buildInfoIn(memory: Memory): RawBuildInfo | undefined {
  for (const { address, bytes } of memory.data) {
    for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) {
      if ((address + at) % alignment !== 0) {
        continue;
      }
      const start = address + at;
      const blob = memory.read(start, blobHeader);
      if (blob === undefined) {
        return undefined;
      }
      const [go, framed] =
        ((blob[15] ?? 0) & isInline) === 0 ? byPointers(memory, blob) : inline(memory, start);
      if (go === undefined) {
        return undefined;
      }
      return framed === undefined ? { go } : { go, modules: unframed(framed) };
    }
  }
  return undefined;
}

type Strings = readonly [go: string | undefined, modules: Buffer | undefined];

/** Go 1.18 and later: two strings behind the header, each after its length as a varint. */
function inline(memory: Memory, start: number): Strings {
  const first = stringAt(memory, start + blobHeader, maxVersion);
  if (first === undefined) {
    return [undefined, undefined];
  }
  return [goVersion(first.bytes), stringAt(memory, first.end, maxModuleText)?.bytes];
}

function stringAt(
  memory: Memory,
  address: number,
  most: number,
): { readonly bytes: Buffer; readonly end: number } | undefined {
  let length = 0;
  for (let at = 0; at < 4; at += 1) {
    const byte = memory.read(address + at, 1)?.[0];
    if (byte === undefined) {
      return undefined;
    }
    length += (byte & 0x7f) * 2 ** (7 * at);
    if ((byte & 0x80) !== 0) {
      continue;
    }
    const start = address + at + 1;
    const bytes = length <= most ? memory.read(start, length) : undefined;
    return bytes === undefined ? undefined : { bytes, end: start + length };
  }
  return undefined;
}

/** Go 1.13 to 1.17: pointers to two string headers. */
function byPointers(memory: Memory, blob: Buffer): Strings {
  const size = blob[14];
  if (size !== 4 && size !== 8) {
    return [undefined, undefined];
  }
  const isBig = ((blob[15] ?? 0) & isBigEndian) !== 0;
  const pointer = (bytes: Buffer, at: number): number => {
    if (size === 4) {
      return isBig ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    }
    return Number(isBig ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at));
  };
  const follow = (at: number, most: number): Buffer | undefined => {
    const header = memory.read(pointer(blob, at), 2 * size);
    if (header === undefined) {
      return undefined;
    }
    const length = pointer(header, size);
    return length <= most ? memory.read(pointer(header, 0), length) : undefined;
  };
  const version = follow(blobHeader / 2, maxVersion);
  return [
    version === undefined ? undefined : goVersion(version),
    follow(blobHeader / 2 + size, maxModuleText),
  ];
}

function goVersion(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return /^[!-~](?:[ -~]*[!-~])?$/.test(text) ? text : undefined;
}

function unframed(bytes: Buffer): string {
  if (bytes.length <= 2 * frame || bytes[bytes.length - frame - 1] !== 0x0a) {
    return '';
  }
  return bytes.toString('utf8', frame, bytes.length - frame);
}
