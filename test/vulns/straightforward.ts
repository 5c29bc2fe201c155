import type { VersionOrder } from '../../src/bom/vers.ts';

/*
 * "Evaluation" of the OSV schema 1.7, line by line, on the record as it was parsed from JSON. It knows
 * nothing of `src/vulns`: two programs that agree on every record are less likely to be wrong in the same
 * way.
 */

interface OsvEvent {
  readonly introduced?: string;
  readonly fixed?: string;
  readonly last_affected?: string;
  readonly limit?: string;
}

export interface OsvAffected {
  readonly package: { readonly ecosystem: string; readonly name: string };
  readonly ranges?: readonly { readonly type: string; readonly events: readonly OsvEvent[] }[];
  readonly versions?: readonly string[];
}

export interface OsvRecord {
  readonly id: string;
  readonly withdrawn?: string;
  readonly affected?: readonly OsvAffected[];
}

export type OrderOfType = (type: string) => VersionOrder | undefined;

export function isVulnerable(
  affected: readonly OsvAffected[],
  name: string,
  version: string,
  orderOf: OrderOfType,
): boolean {
  for (const entry of affected) {
    if (entry.package.name === name) {
      if (isListed(version, entry, orderOf('ECOSYSTEM')) || isInRanges(version, entry, orderOf)) {
        return true;
      }
    }
  }
  return false;
}

function isListed(version: string, { versions = [] }: OsvAffected, order: VersionOrder | undefined): boolean {
  for (const listed of versions) {
    if (listed === version) {
      return true;
    }
    if (order?.isVersion(listed) && order.isVersion(version) && order.compare(listed, version) === 0) {
      return true;
    }
  }
  return false;
}

function isInRanges(version: string, { ranges = [] }: OsvAffected, orderOf: OrderOfType): boolean {
  for (const range of ranges) {
    const order = orderOf(range.type);
    if (range.type === 'GIT' || order === undefined || !order.isVersion(version)) {
      continue;
    }
    const atLeast = (bound: string): boolean => bound === '0' || order.compare(version, bound) >= 0;
    const limits = range.events.flatMap(({ limit }) => (limit === undefined ? [] : [limit]));
    const isBeforeLimits =
      limits.length === 0 || limits.some((limit) => limit === '*' || order.compare(version, limit) < 0);
    if (!isBeforeLimits) {
      continue;
    }
    const bound = (event: OsvEvent): string =>
      event.introduced ?? event.fixed ?? event.last_affected ?? event.limit ?? '';
    const rank = (event: OsvEvent): number => {
      if (event.introduced === '0') {
        return 0;
      }
      return event.limit === '*' ? 2 : 1;
    };
    const sorted = [...range.events].sort(
      (a, b) => rank(a) - rank(b) || (rank(a) === 1 ? order.compare(bound(a), bound(b)) : 0),
    );
    let vulnerable = false;
    for (const event of sorted) {
      if (event.introduced !== undefined && atLeast(event.introduced)) {
        vulnerable = true;
      } else if (event.fixed !== undefined && atLeast(event.fixed)) {
        vulnerable = false;
      } else if (event.last_affected !== undefined && order.compare(version, event.last_affected) > 0) {
        vulnerable = false;
      }
    }
    if (vulnerable) {
      return true;
    }
  }
  return false;
}
