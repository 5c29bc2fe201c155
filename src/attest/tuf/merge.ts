import { compact } from '../../base/compact.ts';
import { type TufMetadata, type TufRepository, vouchedFor } from './update.ts';

/**
 * What two runs that updated at once know together: under the newer root, of each role the newer metadata. So
 * the last to write never takes the store back behind what the other run saw.
 */
export function merge(one: TufRepository, other: TufRepository): TufRepository {
  const [high, low] = one.root.version >= other.root.version ? [one, other] : [other, one];
  const known = vouchedFor(low, high.root);
  const timestamp = newer(high.timestamp, known.timestamp);
  const snapshot = newer(high.snapshot, known.snapshot);
  return compact({
    root: high.root,
    // Of two chains to one root, the longer began with an older anchor.
    chain: high.chain,
    timestamp,
    snapshot,
    ...newerTarget(high, known),
  });
}

function newer<T extends { readonly version: number }>(
  one: T | undefined,
  other: T | undefined,
): T | undefined {
  return one === undefined || (other !== undefined && other.version > one.version) ? other : one;
}

/** The targets and their file stay together. Where both runs saw the same, the later look counts. */
function newerTarget(one: TufMetadata, other: TufMetadata): Pick<TufMetadata, 'targets' | 'trustedRoot'> {
  const isFirst =
    one.targets?.version === other.targets?.version
      ? seenAt(one) >= seenAt(other)
      : newer(one.targets, other.targets) === one.targets;
  const chosen = isFirst ? one : other;
  const { targets, trustedRoot } = chosen;
  return compact({
    targets,
    trustedRoot,
  });
}

function seenAt({ trustedRoot }: TufMetadata): number {
  return Number(trustedRoot?.refreshedAt ?? 0);
}
