import type { Catalog, Cataloger, ObservedFile, StreamScanner } from './contract.ts';
import { elfHeaderOf, isElf, noteSegment, segmentsOf } from './programs/elf.ts';
import { magics } from './programs/magics.ts';

/**
 * What linkers put first: headers and notes. A file that was patched later has its program headers at the
 * end.
 */
const windowSize = 8192;
/** One note section. The build-id is 20 bytes, the properties of the processor a few dozen. */
const maxNotes = 4096;
const gnuBuildId = 3;
/** FDO_PACKAGING_METADATA (systemd, "Package Metadata for Executable Files"). */
const packageNote = 0xcafe1a7e;

export interface ElfObservation {
  /** Absent where a file has none. */
  readonly buildId?: string;
  /** The JSON of `.note.package`, which names the package that the file was built in. */
  readonly note?: string;
}

/**
 * Scans every ELF file for its build-id (the GNU note `NT_GNU_BUILD_ID`, gABI "Note Section"): the name under
 * which debuggers and crash reports know exactly these bytes; and for the note that names its package. It
 * makes no components of its own: build-ids join those that others found, and notes speak for files that
 * nobody owns (`packagesByNote`).
 */
export const elf: Cataloger<ElfObservation> = {
  name: 'elf',
  wantedAt: [],
  wants: () => false,
  scanned: { begins: magics.elf },
  scan: (_path, head) => (isElf(head) ? readingNotes() : undefined),
  catalog: (): Catalog => ({ components: [], dependencies: [], skipped: [] }),
};

/**
 * The build-id of each file the scanner of `elf` had something to say about, 2 to 128 lower-case hexadecimal
 * digits, by path.
 */
export function buildIdsIn(observed: readonly ObservedFile<ElfObservation>[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { path, links = [], observation } of observed) {
    const { buildId } = observation;
    if (buildId !== undefined) {
      for (const name of [path, ...links]) {
        found.set(name, buildId);
      }
    }
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

/**
 * Keeps what the headers point to, as far as it still comes by; a file that points backwards beyond the
 * window is not searched again.
 */
function readingNotes(): StreamScanner<ElfObservation> {
  let position = 0;
  let chunkStart = 0;
  let seen: ElfObservation = {};
  const window = new Uint8Array(windowSize);
  let requests: RangeRequest[] = [];
  const request = (at: number, size: number, then: RangeRequest['then']): void => {
    if (at + size <= Math.min(position, windowSize)) {
      then(window.subarray(at, at + size));
    } else if (at >= chunkStart) {
      requests.push({ at, bytes: new Uint8Array(size), filled: 0, then });
    }
  };
  const notes = (bytes: Uint8Array, little: boolean): void => {
    seen = { ...notesIn(bytes, little), ...seen };
  };
  request(0, 64, (head) => {
    const header = elfHeaderOf(head);
    if (header === undefined) {
      return;
    }
    const { at, count, size } = header.programs;
    request(at, count * size, (table) => {
      for (const segment of segmentsOf(table, header)) {
        if (segment.type === noteSegment && segment.size <= maxNotes) {
          request(segment.at, segment.size, (bytes) => notes(bytes, header.little));
        }
      }
    });
  });
  return {
    push(chunk) {
      const start = position;
      chunkStart = start;
      if (start < windowSize) {
        window.set(chunk.subarray(0, windowSize - start), start);
      }
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
    end: () => seen,
  };
}

/** The first build-id and the first note of a package in a segment of notes. */
function notesIn(bytes: Uint8Array, little: boolean): ElfObservation {
  const view = viewOf(bytes);
  const padded = (size: number): number => Math.ceil(size / 4) * 4;
  let seen: ElfObservation = {};
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameSize = view.getUint32(at, little);
    const size = view.getUint32(at + 4, little);
    const content = at + 12 + padded(nameSize);
    const owner = nameSize === 4 ? Buffer.from(bytes.subarray(at + 12, at + 16)).toString('latin1') : '';
    const said = noteOf(owner, view.getUint32(at + 8, little), bytes.subarray(content, content + size), size);
    seen = { ...said, ...seen };
    at = content + padded(size);
  }
  return seen;
}

/** `size` is what the header says; content that is cut says nothing. */
function noteOf(owner: string, type: number, content: Uint8Array, size: number): ElfObservation {
  if (content.length < size || size === 0) {
    return {};
  }
  const bytes = Buffer.from(content);
  if (owner === 'GNU\0' && type === gnuBuildId && size <= 64) {
    return { buildId: bytes.toString('hex') };
  }
  if (owner === 'FDO\0' && type === packageNote) {
    return { note: bytes.toString('utf8').replace(/\0+$/, '') };
  }
  return {};
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
