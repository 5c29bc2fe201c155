import type { Catalog, Cataloger, ObservedFile, StreamScanner } from './contract.ts';
import { elfHeaderOf, isElf, noteSegment, segmentsOf } from './programs/elf.ts';

/** What linkers put first: headers and notes. A file that was patched later has its program headers at the end. */
const windowSize = 8192;
/** One note section. The build-id is 20 bytes, the properties of the processor a few dozen. */
const maxNotes = 4096;
const gnuBuildId = 3;

/** Absent where a file has no build-id. */
export interface ElfObservation {
  readonly buildId?: string;
}

/**
 * Scans every ELF file for its build-id (the GNU note `NT_GNU_BUILD_ID`, gABI "Note Section"): the name under which debuggers and
 * crash reports know exactly these bytes. It makes no components: the build-ids join those that others found.
 */
export const elf: Cataloger<ElfObservation> = {
  name: 'elf',
  wants: () => false,
  scan: (_path, head) => (isElf(head) ? readingBuildId() : undefined),
  catalog: (): Catalog => ({ components: [], dependencies: [], skipped: [] }),
};

/** The build-id of each file the scanner of `elf` had something to say about, 2 to 128 lower-case hexadecimal digits, by path. */
export function buildIdsIn(observed: readonly ObservedFile<ElfObservation>[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, links = [], observation } of observed) {
    const { buildId } = observation;
    if (buildId !== undefined) for (const name of [path, ...links]) found.set(name, buildId);
  }
  return found;
}

/** Each file the scanner of `elf` saw, by each of its names: all of its names. */
export function namesIn(observed: readonly ObservedFile[]): ReadonlyMap<string, readonly string[]> {
  return new Map(observed.map(({ path, links = [] }) => [path, [path, ...links]]));
}

/** Bytes of the file that are still to come, and who waits for them. */
interface RangeRequest {
  readonly at: number;
  readonly bytes: Uint8Array;
  filled: number;
  readonly then: (bytes: Uint8Array) => void;
}

/** Keeps what the headers point to, as far as it still comes by; a file that points backwards beyond the window is not searched again. */
function readingBuildId(): StreamScanner<ElfObservation> {
  let position = 0;
  let chunkStart = 0;
  let buildId: string | undefined;
  const window = new Uint8Array(windowSize);
  let requests: RangeRequest[] = [];
  const request = (at: number, size: number, then: RangeRequest['then']): void => {
    if (at + size <= Math.min(position, windowSize)) then(window.subarray(at, at + size));
    else if (at >= chunkStart) requests.push({ at, bytes: new Uint8Array(size), filled: 0, then });
  };
  const notes = (bytes: Uint8Array, little: boolean): void => {
    buildId ??= buildIdIn(bytes, little);
  };
  request(0, 64, (head) => {
    const header = elfHeaderOf(head);
    if (header === undefined) return;
    const { at, count, size } = header.programs;
    request(at, count * size, (table) => {
      for (const segment of segmentsOf(table, header))
        if (segment.type === noteSegment && segment.size <= maxNotes)
          request(segment.at, segment.size, (bytes) => notes(bytes, header.little));
    });
  });
  return {
    push(chunk) {
      const start = position;
      chunkStart = start;
      if (start < windowSize) window.set(chunk.subarray(0, windowSize - start), start);
      position += chunk.length;
      // What is requested next may lie in the same chunk.
      for (let done = false; !done && requests.length > 0; ) {
        const open = requests;
        requests = [];
        done = true;
        for (const one of open) {
          const from = one.at + one.filled - start;
          if (from >= 0 && from < chunk.length) {
            const part = chunk.subarray(from, from + one.bytes.length - one.filled);
            one.bytes.set(part, one.filled);
            one.filled += part.length;
          }
          if (one.filled < one.bytes.length) {
            requests.push(one);
            continue;
          }
          one.then(one.bytes);
          done = false;
        }
      }
    },
    end: () => (buildId === undefined ? {} : { buildId }),
  };
}

function buildIdIn(bytes: Uint8Array, little: boolean): string | undefined {
  const view = viewOf(bytes);
  const padded = (size: number): number => Math.ceil(size / 4) * 4;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameSize = view.getUint32(at, little);
    const size = view.getUint32(at + 4, little);
    const content = at + 12 + padded(nameSize);
    const isGnu = nameSize === 4 && Buffer.from(bytes.subarray(at + 12, at + 16)).equals(gnu);
    if (isGnu && view.getUint32(at + 8, little) === gnuBuildId && size > 0 && size <= 64)
      return content + size <= bytes.length
        ? Buffer.from(bytes.subarray(content, content + size)).toString('hex')
        : undefined;
    at = content + padded(size);
  }
  return undefined;
}

const gnu: Buffer = Buffer.from('GNU\0');

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
