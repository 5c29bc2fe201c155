import { type Bytes, collect } from '../../base/bytes.ts';

/** Part of a blob. */
export interface BlobSpan {
  readonly start: number;
  readonly end: number;
}

/** Bytes between two parts that cost less than another request. */
const gap = 16 * 1024;
/** Bytes that are fetched by one request, unless one part alone has more. */
const most = 4 * 1024 * 1024;
/** Requests that are under way. */
const ahead = 8;

/** Fetches parts of a blob, neighbours together and some ahead of who reads them in their order. */
export class RangePlan {
  readonly #groups: readonly BlobSpan[];
  readonly #range: (start: number, length: number) => Bytes;
  readonly #fetched: Map<BlobSpan, Promise<Uint8Array>> = new Map();

  constructor(parts: readonly BlobSpan[], range: (start: number, length: number) => Bytes) {
    this.#range = range;
    this.#groups = together(parts);
  }

  /** The bytes of one of the parts. */
  async bytes({ end, start }: BlobSpan): Promise<Uint8Array> {
    const at = this.#groups.findLastIndex((group) => group.start <= start);
    const group = this.#groups[at];
    if (group === undefined || group.end < end) {
      throw new RangeError('a part that was not planned');
    }
    // Whoever reads in order needs nothing of what lies before; others ask again.
    for (const known of this.#fetched.keys()) {
      if (known.end < start) {
        this.#fetched.delete(known);
      }
    }
    for (const next of this.#groups.slice(at, at + ahead)) {
      this.#fetch(next);
    }
    return (await this.#fetch(group)).subarray(start - group.start, end - group.start);
  }

  #fetch(group: BlobSpan): Promise<Uint8Array> {
    const known = this.#fetched.get(group);
    if (known !== undefined) {
      return known;
    }
    const length = group.end - group.start;
    const fetching = collect(this.#range(group.start, length), length, 'a part of a layer');
    // What was fetched ahead may fail before anybody asks for it.
    fetching.catch(() => undefined);
    this.#fetched.set(group, fetching);
    return fetching;
  }
}

function together(parts: readonly BlobSpan[]): readonly BlobSpan[] {
  const groups: { start: number; end: number }[] = [];
  for (const { end, start } of [...parts].sort((a, b) => a.start - b.start)) {
    const last = groups.at(-1);
    if (last !== undefined && start <= last.end + gap && end - last.start <= most) {
      last.end = Math.max(last.end, end);
    } else {
      groups.push({ start, end });
    }
  }
  return groups;
}
