const frameMagic = 0x184d2204;
/** Matches reach back so far. */
const window = 64 * 1024;
/** The largest block of a frame. */
const maxBlock = 4 * 1024 * 1024;
/**
 * What may come of one file. The largest list of a distribution has 60 MiB; LZ4 makes up to 255 bytes of one.
 */
const maxPlain = 256 * 1024 * 1024;

/** Reads an LZ4 file piece by piece. */
export interface Lz4Reader {
  push(chunk: Uint8Array): void;
  /** Whether it ended where a frame ends, and nothing in it was wrong. */
  isWhole(): boolean;
}

/**
 * LZ4 frames one after another (lz4_Frame_format.md 1.6), their blocks linked or not; checksums are passed
 * over, for whoever writes the layer writes them too. After the first thing that is wrong nothing more comes
 * out. In memory stand one block, what came of it, and a window.
 */
export function lz4Reader(out: (chunk: Uint8Array) => void): Lz4Reader {
  let rest: Buffer = Buffer.alloc(0);
  let history: Buffer = Buffer.alloc(0);
  let frame:
    | { readonly blockMax: number; readonly blockSum: boolean; readonly contentSum: boolean }
    | undefined;
  let isBroken = false;
  let seen = 0;
  let written = 0;

  /** Bytes used of `at`, or 0 where more are needed; -1 where it is wrong. */
  const header = (at: Buffer): number => {
    if (at.length < 7) {
      return 0;
    }
    const flags = at[4] ?? 0;
    const kind = ((at[5] ?? 0) >> 4) & 7;
    if (at.readUInt32LE(0) !== frameMagic || flags >> 6 !== 1 || kind < 4) {
      return -1;
    }
    const size = 7 + ((flags & 8) === 0 ? 0 : 8) + ((flags & 1) === 0 ? 0 : 4);
    if (at.length < size) {
      return 0;
    }
    frame = {
      blockMax: 1 << (8 + 2 * kind),
      blockSum: (flags & 16) !== 0,
      contentSum: (flags & 4) !== 0,
    };
    history = Buffer.alloc(0);
    return size;
  };
  const block = (at: Buffer, { blockMax, blockSum, contentSum }: NonNullable<typeof frame>): number => {
    if (at.length < 4) {
      return 0;
    }
    const word = at.readUInt32LE(0);
    if (word === 0) {
      if (at.length < (contentSum ? 8 : 4)) {
        return 0;
      }
      frame = undefined;
      return contentSum ? 8 : 4;
    }
    const size = word & 0x7fffffff;
    if (size > Math.min(blockMax, maxBlock)) {
      return -1;
    }
    const end = 4 + size;
    if (at.length < end + (blockSum ? 4 : 0)) {
      return 0;
    }
    const content = at.subarray(4, end);
    const plain = word >>> 31 === 1 ? Buffer.from(content) : decodeBlock(content, history, blockMax);
    written += plain?.length ?? 0;
    if (plain === undefined || written > maxPlain) {
      return -1;
    }
    out(plain);
    history =
      plain.length >= window ? plain.subarray(-window) : Buffer.concat([history, plain]).subarray(-window);
    return end + (blockSum ? 4 : 0);
  };
  return {
    push(chunk) {
      if (isBroken) {
        return;
      }
      seen += chunk.length;
      rest = Buffer.concat([rest, chunk]);
      let at = 0;
      for (;;) {
        const left = rest.subarray(at);
        const used = frame === undefined ? header(left) : block(left, frame);
        if (used < 0) {
          isBroken = true;
        }
        if (used <= 0) {
          break;
        }
        at += used;
      }
      rest = isBroken ? Buffer.alloc(0) : rest.subarray(at);
    },
    isWhole: () => !isBroken && frame === undefined && rest.length === 0 && seen > 0,
  };
}

/**
 * One block (lz4_Block_format.md): literals and matches in turns. `undefined` where it leads outside of
 * itself or of `most` bytes.
 */
function decodeBlock(block: Buffer, history: Buffer, most: number): Buffer | undefined {
  const plain = Buffer.allocUnsafe(history.length + most);
  history.copy(plain);
  let to = history.length;
  let at = 0;
  /** A length of 15 goes on in further bytes, up to one that is not 255. */
  const lengthFrom = (start: number): number => {
    if (start < 15) {
      return start;
    }
    let length = start;
    for (;;) {
      const byte = block[at];
      if (byte === undefined) {
        return Number.NaN;
      }
      at += 1;
      length += byte;
      if (byte !== 255) {
        return length;
      }
    }
  };
  while (at < block.length) {
    const token = block[at] ?? 0;
    at += 1;
    const literals = lengthFrom(token >> 4);
    if (!(at + literals <= block.length && to + literals <= plain.length)) {
      return undefined;
    }
    block.copy(plain, to, at, at + literals);
    at += literals;
    to += literals;
    // The last sequence has literals only.
    if (at === block.length) {
      return plain.subarray(history.length, to);
    }
    if (at + 2 > block.length) {
      return undefined;
    }
    const offset = block.readUInt16LE(at);
    at += 2;
    const length = lengthFrom(token & 15) + 4;
    if (offset === 0 || offset > to || !(to + length <= plain.length)) {
      return undefined;
    }
    copyMatch(plain, to, offset, length);
    to += length;
  }
  return undefined;
}

/** A match may overlap what it writes: `offset` bytes are then repeated, in steps that double. */
function copyMatch(plain: Buffer, to: number, offset: number, length: number): void {
  let step = offset;
  for (let done = 0; done < length; ) {
    const part = Math.min(step, length - done);
    plain.copy(plain, to + done, to - offset, to - offset + part);
    done += part;
    step += part;
  }
}
