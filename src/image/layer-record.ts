import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { LayerScan } from './scan-layer.ts';

/*
 * What a layer says, as bytes that are kept: `tcf layer 1\n`, SHA-256 of the rest, the columns behind zstd.
 */

const magic = Buffer.from('tcf layer 1\n');
const hashSize = 32;
/** V8's number of the form in which it writes values: another version of Node may write another one. */
export const recordForm: number = serialize(undefined)[1] ?? 0;
/**
 * A layer keeps at most 128 MiB of content and 48 MiB of observations; names and columns of four million
 * entries are as many again.
 */
const maxUnpacked = 1024 * 1024 * 1024;

export function formatLayerRecord(scan: LayerScan): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  const body = zstdCompressSync(serialize(scan), { params });
  return Buffer.concat([magic, hashOf(body), body]);
}

/** `undefined` for anything that `formatLayerRecord` did not write, whole and unchanged. */
export function parseLayerRecord(bytes: Uint8Array): LayerScan | undefined {
  const head = magic.length + hashSize;
  if (bytes.length < head || magic.compare(bytes, 0, magic.length) !== 0) {
    return undefined;
  }
  const body = bytes.subarray(head);
  if (hashOf(body).compare(bytes, magic.length, head) !== 0) {
    return undefined;
  }
  try {
    const scan: unknown = deserialize(zstdDecompressSync(body, { maxOutputLength: maxUnpacked }));
    return isLayerScan(scan) ? scan : undefined;
  } catch {
    // The hash is right and the rest is not: written by another version of Node.
    return undefined;
  }
}

function hashOf(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest();
}

/** The hash says that the columns are as they were written; this, that they are columns. */
function isLayerScan(value: unknown): value is LayerScan {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  const { count, finds, links, paths, programs, sizes, skipped, times, types } = value as Partial<LayerScan>;
  const columns = [types, sizes, times].every(
    (column) => column instanceof Float64Array && column.length === count,
  );
  return (
    columns &&
    paths?.ends instanceof Uint32Array &&
    paths.ends.length === count &&
    paths.bytes instanceof Uint8Array &&
    finds instanceof Map &&
    links instanceof Map &&
    programs instanceof Set &&
    Array.isArray(skipped)
  );
}
