import { loadSegment, type Section, type Segment } from './elf.ts';

/** Programs of Windows, by their first bytes (Microsoft, "PE Format"). */
export interface PeParts {
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
}

const dosHeader = 64;
const coffHeader = 24;
const sectionHeader = 40;
/** The specification's limit for images. */
const maxSections = 96;
const executable = 0x2000_0000;
const writable = 0x8000_0000;

/**
 * Whether a file starts as a PE file does: `MZ`, and behind it where the header is. A text that begins with
 * `MZ` has letters in that place, which are a number far beyond any header.
 */
export function isPe(head: Uint8Array): boolean {
  if (head.length < dosHeader || head[0] !== 0x4d || head[1] !== 0x5a) {
    return false;
  }
  const at = viewOf(head).getUint32(60, true);
  return at >= dosHeader && at <= 4096 && at % 4 === 0;
}

/** `undefined` where the window holds no header with its sections. */
export function pePartsIn(window: Uint8Array): PeParts | undefined {
  if (!isPe(window)) {
    return undefined;
  }
  const view = viewOf(window);
  const start = view.getUint32(60, true);
  if (start + coffHeader + 32 > window.length || view.getUint32(start, true) !== 0x4550) {
    return undefined;
  }
  const count = view.getUint16(start + 6, true);
  const optional = start + coffHeader;
  const isWide = view.getUint16(optional, true) === 0x20b;
  const base = isWide ? Number(view.getBigUint64(optional + 24, true)) : view.getUint32(optional + 28, true);
  const table = optional + view.getUint16(start + 20, true);
  if (count > maxSections || !Number.isSafeInteger(base) || table + count * sectionHeader > window.length) {
    return undefined;
  }
  const rows = Array.from({ length: count }, (_, index) => table + index * sectionHeader);
  return {
    segments: rows.map((row) => {
      const flags = view.getUint32(row + 36, true);
      return {
        type: loadSegment,
        isExecutable: (flags & executable) !== 0,
        isWritable: (flags & writable) !== 0,
        at: view.getUint32(row + 20, true),
        address: base + view.getUint32(row + 12, true),
        size: view.getUint32(row + 16, true),
      };
    }),
    sections: rows.map((row) => ({
      name: Buffer.from(window.subarray(row, row + 8))
        .toString('latin1')
        .replace(/\0+$/, ''),
      at: view.getUint32(row + 20, true),
      // What the file has, rounded up, and what of it is meant.
      size: Math.min(view.getUint32(row + 16, true), view.getUint32(row + 8, true)),
    })),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
