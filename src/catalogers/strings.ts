/**
 * A place in a file that may say something: the bytes around it as Latin-1, so that one character is one
 * byte.
 */
export interface Hit {
  readonly text: string;
  /** Where in `text` the anchor or the word starts. */
  readonly at: number;
  /** Where in the file it starts. */
  readonly offset: number;
}

export interface Hunt {
  /** Strings to stop at; ASCII. */
  readonly anchors: readonly string[];
  /** What the few bytes after an anchor must match; saves building a hit where none can be. */
  readonly followedBy?: RegExp;
  /** Whether to stop at every word of exactly 40 lower-case hexadecimal digits. */
  readonly commits: boolean;
  readonly onHit: (hit: Hit) => void;
}

export interface StringFinder {
  push(chunk: Uint8Array): void;
  end(): { readonly size: number; readonly truncated: boolean };
}

/** How far a hit sees to both sides. The longest string wanted, LLD's with its URL, is under 150 bytes. */
const reach = 320;
const margin = 512;
const blockSize = 256 * 1024;
/** What `followedBy` gets to see. */
const glimpse = 8;
/** libtriton.so has 68,000 anchors and 200 hits. A file made of nothing else would cost minutes. */
const maxGlances = 4_000_000;
const maxHits = 20_000;
const commitLength = 40;

/**
 * Blocks that nobody uses: an image has thousands of programs, and a new block for each costs more than to
 * look through it.
 */
const freeBlocks: Buffer[] = [];
/** One file is looked through for two kinds of strings at a time. */
const maxFree = 4;

const isHex = new Uint8Array(256);
for (const digit of '0123456789abcdef') {
  isHex[digit.charCodeAt(0)] = 1;
}

/**
 * Finds strings in a stream. Bytes are gathered into blocks that start at the same offsets however the stream
 * was cut, and blocks overlap by more than a hit can see: so finds do not depend on the chunks, and memory is
 * one block.
 *
 * Commits are found by looking at every 40th byte only: a word of 40 digits cannot hide between two looks.
 * 415 MB of libtriton.so take about 0.1 s for that and 0.15 s for each anchor.
 */
export function stringFinder({ anchors, followedBy, commits, onHit }: Hunt): StringFinder {
  const needles = anchors.map((anchor) => Buffer.from(anchor, 'latin1'));
  let block: Buffer | undefined;
  let length = 0;
  /** Offset of the block in the file, and the first place in the block that was not looked at yet. */
  let base = 0;
  let from = 0;
  let hits = 0;
  let glances = 0;
  let truncated = false;

  const report = (bytes: Buffer, at: number): void => {
    if (hits >= maxHits) {
      truncated = true;
      return;
    }
    hits += 1;
    const start = Math.max(0, at - reach);
    onHit({
      text: bytes.toString('latin1', start, Math.min(length, at + reach)),
      at: at - start,
      offset: base + at,
    });
  };

  const lookAtAnchors = (bytes: Buffer, to: number): void => {
    const seen = bytes.subarray(0, length);
    for (const needle of needles) {
      for (let at = seen.indexOf(needle, from); at >= 0 && at < to && !truncated; ) {
        glances += 1;
        const after = at + needle.length;
        if (followedBy?.test(seen.toString('latin1', after, after + glimpse)) !== false) {
          report(bytes, at);
        }
        if (glances >= maxGlances) {
          truncated = true;
        }
        at = seen.indexOf(needle, at + 1);
      }
    }
  };

  const lookAtCommits = (bytes: Buffer, to: number): void => {
    const last = Math.min(to + commitLength - 1, length);
    for (let look = from + commitLength - 1; look < last && !truncated; look += commitLength) {
      if (isHex[bytes[look] ?? 0] === 0) {
        continue;
      }
      let start = look;
      while (start > 0 && look - start <= commitLength && isHex[bytes[start - 1] ?? 0] === 1) {
        start -= 1;
      }
      let end = look + 1;
      while (end < length && end - start <= commitLength && isHex[bytes[end] ?? 0] === 1) {
        end += 1;
      }
      // A word that starts outside belongs to the look before or after this one.
      if (end - start === commitLength && start >= from && start < to) {
        report(bytes, start);
      }
    }
  };

  const look = (bytes: Buffer, final: boolean): void => {
    const to = final ? length : length - margin;
    lookAtAnchors(bytes, to);
    if (commits) {
      lookAtCommits(bytes, to);
    }
    if (final) {
      return;
    }
    const keep = to - margin;
    bytes.copyWithin(0, keep, length);
    base += keep;
    length -= keep;
    from = margin;
  };

  return {
    push(chunk) {
      block ??= freeBlocks.pop() ?? Buffer.allocUnsafeSlow(blockSize);
      for (let taken = 0; taken < chunk.length; ) {
        const part = chunk.subarray(taken, taken + blockSize - length);
        block.set(part, length);
        length += part.length;
        taken += part.length;
        if (length === blockSize) {
          look(block, false);
        }
      }
    },
    end() {
      if (block !== undefined) {
        look(block, true);
        if (freeBlocks.length < maxFree) {
          freeBlocks.push(block);
        }
      }
      block = undefined;
      return { size: base + length, truncated };
    },
  };
}
