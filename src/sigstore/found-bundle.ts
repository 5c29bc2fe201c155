import type { Cosign2Layer } from '../attest/cosign2.ts';
import { collect } from '../base/bytes.ts';
import { cannotTell } from '../base/error.ts';
import { jsonLimits } from '../base/json.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/manifest.ts';
import { isContentFault } from '../registry/content-fault.ts';
import type { Repository, Store } from '../registry/contract.ts';

/**
 * Something that says it is a signature about an image: its bytes, or why there are none. Nothing is proven
 * yet.
 */
export type FoundBundle =
  | { readonly ok: true; readonly source: Digest; readonly bundle: Uint8Array }
  | { readonly ok: true; readonly source: Digest; readonly layer: Cosign2Layer }
  | {
      readonly ok: false;
      /** The manifest that refers to the image. */
      readonly source: Digest;
      readonly code: string;
      readonly reason: string;
    };

export const discoverLimits: Readonly<Record<'bundleBytes' | 'totalBytes' | 'parallel', number>> = {
  /** As much as the parser of bundles takes. */
  bundleBytes: jsonLimits.bundle.maxBytes,
  /**
   * All bundles of one image together, which stay in memory until the decision; a hundred signed SBOMs of a
   * large image fit.
   */
  totalBytes: 512 * 1024 * 1024,
  /** Requests at once: enough to hide latency, few enough not to be throttled. */
  parallel: 4,
};

/** What may still be fetched, in bytes, for all bundles of an image together. */
export interface BundleBudget {
  left: number;
}

export const refuse = (source: Digest, code: string, reason: string): FoundBundle => ({
  ok: false,
  source,
  code,
  reason,
});

/** @throws TcfError `registry.limit` above the budget, `registry.*`, `content.digest`. */
export async function fetchWithin(
  store: Store,
  repository: Repository,
  blob: Descriptor,
  budget: BundleBudget,
): Promise<Uint8Array> {
  budget.left -= blob.size;
  if (budget.left < 0) {
    throw cannotTell(
      'registry.limit',
      `the signatures of this image have more than ${discoverLimits.totalBytes} bytes together`,
    );
  }
  return await collect(store.blob(repository, blob), discoverLimits.bundleBytes, 'the signature');
}

/**
 * A fault of the content refuses this bundle only; a fault of the registry or the network ends the search.
 */
export async function refuseContentFaults<T>(
  source: Digest,
  open: () => Promise<T>,
): Promise<T | readonly FoundBundle[]> {
  try {
    return await open();
  } catch (error) {
    if (isContentFault(error)) {
      return [refuse(source, error.code, error.message)];
    }
    throw error;
  }
}
