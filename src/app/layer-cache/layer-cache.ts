import { formatLayerRecord, parseLayerRecord, recordForm } from '../../image/layer-record.ts';
import type { LayerCache } from '../../image/scan-layers.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Host } from '../../system/host.ts';
import { codeKey } from './code-key.ts';
import { openRecords } from './records.ts';

/** Bytes of one record; a layer that says more is read each time. */
const maxLayerRecord: number = 128 * 1024 * 1024;

/** Names what reads layers, and how what they say is written. */
export function layerCode(): string {
  return `${codeKey('layers')}.${recordForm}`;
}

const layerCacheLimits: Readonly<Record<'bytes', number>> = {
  /** Of all layers together. Image M of `bench/` takes 6 MiB. */
  bytes: 1024 * 1024 * 1024,
};

/**
 * What layers said before, in a folder of the user.
 *
 * @returns `undefined` where the folder cannot be used.
 */
export async function openLayerCache(
  host: Host,
  limit: number = layerCacheLimits.bytes,
): Promise<LayerCache | undefined> {
  const kind = { name: 'layer', code: layerCode(), limit, most: maxLayerRecord } as const;
  const records = await openRecords(host, kind);
  return (
    records && {
      has: async (diffId) => records.has(hexOf(diffId)),
      load: async (diffId) => await records.load(hexOf(diffId), parseLayerRecord),
      keep: async (diffId, scan) => await records.keep(hexOf(diffId), formatLayerRecord(scan)),
    }
  );
}
