import { byCodeUnit } from '../base/text.ts';
import type { VersionOrder } from '../bom/vers.ts';
import type { AffectedPackage, AffectedRange, RangeEvent } from './advisory.ts';

/** `cannot-tell` is never "not affected": a bound or a version could not be read. */
export type VulnVerdict = 'affected' | 'cannot-tell' | 'fixed' | 'not-affected';

/** In the order in which people are shown them. */
export const vulnVerdicts: readonly VulnVerdict[] = ['affected', 'cannot-tell', 'fixed', 'not-affected'];

/** What an advisory says of one version, and the words of it that say so. */
export interface VersionAnswer {
  readonly verdict: VulnVerdict;
  readonly why: string;
  /** The oldest version that is newer than this one and has the fix. */
  readonly fixedIn?: string;
}

/** The orders by which a package is judged: its ecosystem's own, and SemVer for ranges of type SEMVER. */
export interface Orders {
  readonly ecosystem: VersionOrder | undefined;
  readonly semver: VersionOrder;
}

/**
 * Whether a version is affected, by "Evaluation" of the OSV schema 1.7: among `versions`, or in one of the
 * ranges. Ranges of commits say nothing of a version; where nothing else is there, nobody can tell.
 */
export function evaluate(
  { ranges, sorted, versions }: AffectedPackage,
  version: string,
  orders: Orders,
): VersionAnswer {
  const answers = ranges
    .filter(({ type }) => type !== 'GIT')
    .map((range) => evaluateRange(range, version, orders));
  if (includes(versions, version, orders.ecosystem, sorted)) {
    const fixedIn = oldest(answers, orders);
    return { verdict: 'affected', why: `${version} is listed`, ...fixedIn };
  }
  const hit = answers.find(({ verdict }) => verdict === 'affected');
  if (hit !== undefined) {
    return hit;
  }
  const doubt = answers.find(({ verdict }) => verdict === 'cannot-tell');
  if (doubt !== undefined) {
    return doubt;
  }
  const first = answers.find(({ verdict }) => verdict === 'fixed') ?? answers[0];
  if (first !== undefined) {
    return first;
  }
  if (versions.length > 0) {
    return notListed(versions.length, version, orders.ecosystem);
  }
  return {
    verdict: 'cannot-tell',
    why: ranges.length === 0 ? 'names no version' : 'names commits only',
  };
}

/** One version has several spellings (`1.0`, `1.0.0`): without the order nobody knows which are the same. */
function notListed(count: number, version: string, order: VersionOrder | undefined): VersionAnswer {
  if (order?.isVersion(version) === true) {
    return { verdict: 'not-affected', why: `not among the ${count} versions listed` };
  }
  return {
    verdict: 'cannot-tell',
    why:
      order === undefined
        ? `not among the ${count} versions listed as it is written, and versions of this ecosystem have no order here`
        : `${version} is not a version of its ecosystem`,
  };
}

/**
 * Records about a package that is released often list hundreds of versions, so a list that can be is halved.
 */
export function sortedVersions(
  versions: readonly string[],
  order: VersionOrder | undefined,
): Pick<AffectedPackage, 'sorted' | 'versions'> {
  return order === undefined || !versions.every((version) => order.isVersion(version))
    ? { versions }
    : { versions: [...versions].sort((a, b) => order.compare(a, b) || byCodeUnit(a, b)), sorted: true };
}

function includes(
  versions: readonly string[],
  version: string,
  order: VersionOrder | undefined,
  sorted = false,
): boolean {
  if (versions.includes(version)) {
    return true;
  }
  if (order === undefined || !order.isVersion(version)) {
    return false;
  }
  if (sorted) {
    return isAmongSorted(versions, version, order);
  }
  return versions.some((listed) => order.isVersion(listed) && order.compare(listed, version) === 0);
}

function isAmongSorted(versions: readonly string[], version: string, { compare }: VersionOrder): boolean {
  let from = 0;
  let until = versions.length;
  while (from < until) {
    const middle = (from + until) >> 1;
    const order = compare(versions[middle] ?? '', version);
    if (order === 0) {
      return true;
    }
    if (order < 0) {
      from = middle + 1;
    } else {
      until = middle;
    }
  }
  return false;
}

function evaluateRange({ events, type }: AffectedRange, version: string, orders: Orders): VersionAnswer {
  const order = type === 'SEMVER' ? orders.semver : orders.ecosystem;
  if (type === 'unreadable') {
    return { verdict: 'cannot-tell', why: 'has a range that cannot be read' };
  }
  if (order === undefined) {
    return { verdict: 'cannot-tell', why: 'versions of this ecosystem have no order here' };
  }
  if (!order.isVersion(version)) {
    return { verdict: 'cannot-tell', why: `${version} is not a version of its ecosystem` };
  }
  const strange = events.find((event) => !isEdge(event) && !order.isVersion(event.version));
  if (strange !== undefined) {
    return { verdict: 'cannot-tell', why: `cannot compare with ${strange.version}` };
  }
  const stream = events.find((event) => !isEdge(event) && isModular(event.version) !== isModular(version));
  if (stream !== undefined) {
    return {
      verdict: 'cannot-tell',
      why: `one of ${version} and ${stream.version} is of a module stream only`,
    };
  }
  return walk(events, version, order);
}

/** `0` is before every version, `*` after every one. */
function isEdge({ kind, version }: RangeEvent): boolean {
  return (kind === 'introduced' && version === '0') || (kind === 'limit' && version === '*');
}

/**
 * A package of a module stream of RHEL and its rebuilds; streams are not comparable with packages outside of
 * them.
 */
function isModular(version: string): boolean {
  return /\.module[+_]/.test(version);
}

function walk(events: readonly RangeEvent[], version: string, order: VersionOrder): VersionAnswer {
  const sorted = [...events].sort((a, b) => compareEvents(a, b, order));
  const isBefore = (event: RangeEvent): boolean =>
    !(event.kind === 'introduced' && event.version === '0') && order.compare(version, event.version) < 0;
  const limits = sorted.filter(({ kind }) => kind === 'limit');
  let isVulnerable = false;
  let last: RangeEvent | undefined;
  for (const event of sorted) {
    if (event.kind === 'introduced' && !isBefore(event)) {
      isVulnerable = true;
      last = event;
    } else if (event.kind === 'fixed' && !isBefore(event)) {
      last = isVulnerable ? event : last;
      isVulnerable = false;
    } else if (event.kind === 'last_affected' && order.compare(version, event.version) > 0) {
      last = isVulnerable ? event : last;
      isVulnerable = false;
    }
  }
  const isLimited =
    limits.length > 0 &&
    !limits.some(({ version: limit }) => limit === '*' || order.compare(version, limit) < 0);
  if (isLimited) {
    return { verdict: 'not-affected', why: `the range ends before ${limits.at(-1)?.version}` };
  }
  if (!isVulnerable) {
    return settled(sorted, last);
  }
  const fix = sorted.find((event) => event.kind === 'fixed' && isBefore(event));
  const end = sorted.find(
    ({ kind, version: bound }) => kind === 'last_affected' && order.compare(version, bound) <= 0,
  );
  return {
    verdict: 'affected',
    why: `affected since ${last?.version ?? '0'}${untilOf(fix, end)}`,
    ...(fix === undefined ? {} : { fixedIn: fix.version }),
  };
}

function untilOf(fix: RangeEvent | undefined, end: RangeEvent | undefined): string {
  if (fix !== undefined) {
    return `, fixed in ${fix.version}`;
  }
  return end === undefined ? '' : `, last affected is ${end.version}`;
}

function settled(sorted: readonly RangeEvent[], last: RangeEvent | undefined): VersionAnswer {
  if (last === undefined) {
    const first = sorted.find(({ kind }) => kind === 'introduced');
    return { verdict: 'not-affected', why: `introduced in ${first?.version ?? 'no version'}` };
  }
  return last.kind === 'fixed'
    ? { verdict: 'fixed', why: `fixed in ${last.version}` }
    : { verdict: 'fixed', why: `last affected is ${last.version}` };
}

/** By version; events of one version stay in the order of the record. */
function compareEvents(a: RangeEvent, b: RangeEvent, order: VersionOrder): number {
  const place = (event: RangeEvent): number => {
    if (event.kind === 'introduced' && event.version === '0') {
      return -1;
    }
    return event.kind === 'limit' && event.version === '*' ? 1 : 0;
  };
  const [one, two] = [place(a), place(b)];
  return one !== two || one !== 0 ? one - two : order.compare(a.version, b.version);
}

function oldest(
  answers: readonly VersionAnswer[],
  { ecosystem, semver }: Orders,
): { readonly fixedIn?: string } {
  const order = ecosystem ?? semver;
  const [first] = answers
    .flatMap(({ fixedIn }) => (fixedIn === undefined ? [] : [fixedIn]))
    .sort((a, b) => order.compare(a, b));
  return first === undefined ? {} : { fixedIn: first };
}
