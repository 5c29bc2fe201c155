import { formatLayerRecord } from '../../image/layer-record.ts';
import type { LayerCache } from '../../image/scan-layers.ts';
import type { SharedCache } from './shared-cache.ts';

/**
 * What this machine has read itself comes first, and is offered to others. What others say is not kept with
 * it: their word counts as long as a policy names them, and would go out again under our signature.
 */
export function withOwnCache(own: LayerCache, shared: SharedCache): LayerCache {
  return {
    has: async (diffId) => (await own.has(diffId)) || (await shared.has(diffId)),
    async load(diffId) {
      const known = await own.load(diffId);
      if (known !== undefined) {
        await shared.offer(diffId, () => formatLayerRecord(known));
        return known;
      }
      return await shared.load(diffId);
    },
    async keep(diffId, scan) {
      await own.keep(diffId, scan);
      await shared.keep(diffId, scan);
    },
  };
}
