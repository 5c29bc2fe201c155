import { blockSize, isZero, type RawHeader, readNumber } from './tar-header.ts';
import { type PaxRecords, toInteger } from './tar-pax.ts';

/** A piece of a sparse file that has bytes in the archive; what lies between the pieces is zeros. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/** Stops for each block and goes on with it. */
type Blocks<T> = Generator<undefined, T, Buffer>;

/** A map is read into memory; Go takes 1 MiB of it (CVE-2025-58183 was the lack of a limit). */
const sparseMapLimit: number = 1024 * 1024;

export type SparseKind = 'inline' | 'pax' | undefined;

/**
 * Whether the records say that this file is sparse, and where its map stands. Go's `readGNUSparsePAXHeaders`.
 */
export function sparseKind(records: PaxRecords): SparseKind {
  const major = records.get('GNU.sparse.major') ?? '';
  const minor = records.get('GNU.sparse.minor') ?? '';
  if (major === '0' && (minor === '0' || minor === '1')) {
    return 'pax';
  }
  if (major === '1' && minor === '0') {
    return 'inline';
  }
  return major === '' && minor === '' && (records.get('GNU.sparse.map') ?? '') !== '' ? 'pax' : undefined;
}

/** GNU.sparse 0.0 and 0.1: the map is a record. */
export function paxSpans(records: PaxRecords): readonly Span[] | undefined {
  const count = toInteger(records.get('GNU.sparse.numblocks') ?? '');
  const map = records.get('GNU.sparse.map') ?? '';
  const numbers = map === '' ? [] : map.split(',');
  return count === undefined || numbers.length !== 2 * count ? undefined : toSpans(numbers);
}

/** GNU.sparse 1.0: the map stands before the data, a number on each line, padded to whole blocks. */
export function* inlineSpans(block: () => Blocks<Buffer | undefined>): Blocks<readonly Span[] | undefined> {
  const numbers: string[] = [];
  let rest = '';
  let wanted = 1;
  for (let read = 0; read <= sparseMapLimit; read += blockSize) {
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (numbers.length < wanted) {
        numbers.push(line);
      }
      if (numbers.length === 1) {
        const count = toInteger(line);
        if (count === undefined || count < 0) {
          return undefined;
        }
        wanted = 1 + 2 * count;
      }
    }
    if (numbers.length === wanted) {
      return toSpans(numbers.slice(1));
    }
    const next = yield* block();
    if (next === undefined) {
      return undefined;
    }
    rest += next.toString('latin1');
  }
  return undefined;
}

/** The old GNU form: four pieces in the header, 21 in each block that follows it. */
export function* oldGnuSpans(
  header: RawHeader,
  block: () => Blocks<Buffer | undefined>,
): Blocks<{ readonly spans: readonly Span[]; readonly size: number } | undefined> {
  const size = readNumber(header.block, 483, 495);
  if (header.format !== 'gnu' || size === undefined) {
    return undefined;
  }
  const spans: Span[] = [];
  let at: Buffer = header.block;
  let start = 386;
  let slots = 4;
  for (let read = 0; read <= sparseMapLimit; read += blockSize) {
    for (let slot = 0; slot < slots; slot += 1) {
      const from = start + 24 * slot;
      if (at[from] === 0) {
        break;
      }
      const offset = readNumber(at, from, from + 12);
      const length = readNumber(at, from + 12, from + 24);
      if (offset === undefined || length === undefined) {
        return undefined;
      }
      spans.push({ offset, length });
    }
    if ((at[start + 24 * slots] ?? 0) === 0) {
      return { spans, size };
    }
    const next = yield* block();
    if (next === undefined || isZero(next)) {
      return undefined;
    }
    at = next;
    start = 0;
    slots = 21;
  }
  return undefined;
}

function toSpans(numbers: readonly string[]): readonly Span[] | undefined {
  const spans: Span[] = [];
  for (let at = 0; at < numbers.length; at += 2) {
    const offset = toInteger(numbers[at] ?? '');
    const length = toInteger(numbers[at + 1] ?? '');
    if (offset === undefined || length === undefined) {
      return undefined;
    }
    spans.push({ offset, length });
  }
  return spans;
}

/**
 * Whether the pieces are in order, do not overlap, stay inside the file and need exactly the bytes that are
 * there.
 */
export function areSound(spans: readonly Span[], size: number, stored: number): boolean {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of spans) {
    if (offset < end || length < 0 || !Number.isSafeInteger(offset + length)) {
      return false;
    }
    end = offset + length;
    sum += length;
  }
  return end <= size && sum === stored;
}
