import { formatLayerRecord } from '../../image/layer-record.ts';
import type { LayerCache } from '../../image/scan-layers.ts';
import type { SharedCache } from './shared-cache.ts';

/** What this machine keeps comes first; what others know is kept here too. */
export function withOwnCache(own: LayerCache, shared: SharedCache): LayerCache {
  return {
    has: async (diffId) => (await own.has(diffId)) || (await shared.has(diffId)),
    async load(diffId) {
      const known = await own.load(diffId);
      if (known !== undefined) {
        await shared.offer(diffId, () => formatLayerRecord(known));
        return known;
      }
      const found = await shared.load(diffId);
      if (found !== undefined) {
        await own.keep(diffId, found);
      }
      return found;
    },
    async keep(diffId, scan) {
      await own.keep(diffId, scan);
      await shared.keep(diffId, scan);
    },
  };
}
