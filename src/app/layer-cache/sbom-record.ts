import { createHash } from 'node:crypto';
import type { SbomSummary } from '../../bom/sbom-summary.ts';

/** An SBOM as it is written, and what is told about it. */
export interface WrittenSbom {
  readonly text: string;
  readonly summary: SbomSummary;
}

/* As bytes that are kept: `tcf sbom 1\n`, SHA-256 of the rest, a line of JSON, the text. */

const magic = Buffer.from('tcf sbom 1\n');
const hashSize = 32;
const lineFeed = 0x0a;

export function formatSbomRecord({ summary, text }: WrittenSbom): Uint8Array {
  const body = Buffer.from(`${JSON.stringify(summary)}\n${text}`);
  return Buffer.concat([magic, hashOf(body), body]);
}

/** `undefined` for anything that `formatSbomRecord` did not write, whole and unchanged. */
export function parseSbomRecord(bytes: Uint8Array): WrittenSbom | undefined {
  const head = magic.length + hashSize;
  if (bytes.length < head || magic.compare(bytes, 0, magic.length) !== 0) {
    return undefined;
  }
  const body = Buffer.from(bytes.buffer, bytes.byteOffset + head, bytes.length - head);
  const end = body.indexOf(lineFeed);
  if (end < 0 || hashOf(body).compare(bytes, magic.length, head) !== 0) {
    return undefined;
  }
  const summary = readSummary(body.toString('utf8', 0, end));
  return summary && { summary, text: body.toString('utf8', end + 1) };
}

/** The hash says that the line is as it was written; this, that it is one of this version. */
function readSummary(line: string): SbomSummary | undefined {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof read !== 'object' || read === null) {
    return undefined;
  }
  const { added, components, fromBase, skipped } = read as Readonly<Record<keyof SbomSummary, unknown>>;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value);
  if (!isCount(components) || !isCount(skipped)) {
    return undefined;
  }
  return isCount(fromBase) && isCount(added)
    ? { components, skipped, fromBase, added }
    : { components, skipped };
}

function hashOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest();
}
