import { compareSemver, isSemver } from '../bom/versions/semver.ts';

/** Versions from `from` on and before `until`, in the order of SemVer; open where one is absent. */
export interface Interval {
  readonly from?: string;
  readonly until?: string;
}

const comparator =
  /^(\^|~|>=|<=|>|<|=|)\s*(\d+)(?:\.(\d+))?(?:\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)?$/;

/**
 * A requirement of Cargo (`>= 1.18.4, < 1.19.0`, `^1.2`) as the interval that RustSec means by it:
 * pre-releases are ordered like other versions, and a missing number is 0. `undefined` for what is not a
 * requirement.
 */
export function toInterval(text: string): Interval | undefined {
  if (text.trim() === '*') {
    return {};
  }
  let whole: Interval = {};
  for (const piece of text.split(',')) {
    const interval = readComparator(piece.trim());
    if (interval === undefined) {
      return undefined;
    }
    whole = intersect(whole, interval);
  }
  return whole;
}

function readComparator(text: string): Interval | undefined {
  const found = comparator.exec(text);
  if (found === null) {
    return undefined;
  }
  const [, operator = '', major = '0', minor, patch, early = ''] = found;
  const version = `${major}.${minor ?? '0'}.${patch ?? '0'}${early}`;
  if (!isSemver(version)) {
    return undefined;
  }
  switch (operator) {
    case '>=':
      return { from: version };
    case '>':
      return { from: after(version) };
    case '<':
      return { until: version };
    case '<=':
      return { until: after(version) };
    case '=':
      return { from: version, until: after(version) };
    case '~':
      return { from: version, until: minor === undefined ? next(major) : `${major}.${next(minor, '')}.0-0` };
    default:
      return { from: version, until: caretEnd(major, minor, patch) };
  }
}

function next(number: string, end = '.0.0-0'): string {
  return `${BigInt(number) + 1n}${end}`;
}

/** The first number that is not zero may not change. */
function caretEnd(major: string, minor: string | undefined, patch: string | undefined): string {
  if (/[^0]/.test(major) || minor === undefined) {
    return next(major);
  }
  if (/[^0]/.test(minor) || patch === undefined) {
    return `0.${next(minor, '')}.0-0`;
  }
  return `0.0.${next(patch, '')}-0`;
}

/** The lowest version above this one by section 11 of SemVer. */
function after(version: string): string {
  if (version.includes('-')) {
    return `${version}.0`;
  }
  const [major, minor, patch = '0'] = version.split('.');
  return `${major}.${minor}.${next(patch, '-0')}`;
}

function intersect(a: Interval, b: Interval): Interval {
  const from = pick(a.from, b.from, 1);
  const until = pick(a.until, b.until, -1);
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}

/** The greater one for sign 1, the smaller one for -1. */
function pick(a: string | undefined, b: string | undefined, sign: -1 | 1): string | undefined {
  if (a === undefined || b === undefined) {
    return a ?? b;
  }
  return compareSemver(a, b) * sign >= 0 ? a : b;
}

/** Everything that lies in none of the intervals, oldest first. */
export function complementOf(intervals: readonly Interval[]): readonly Interval[] {
  const sorted = intervals
    .filter(({ from, until }) => from === undefined || until === undefined || compareSemver(from, until) < 0)
    .sort((a, b) =>
      a.from === undefined || b.from === undefined
        ? Number(a.from !== undefined) - Number(b.from !== undefined)
        : compareSemver(a.from, b.from),
    );
  const gaps: Interval[] = [];
  let end: string | undefined;
  let isStart = true;
  for (const { from, until } of sorted) {
    const isGap = from !== undefined && (isStart || (end !== undefined && compareSemver(end, from) < 0));
    if (isGap) {
      gaps.push({ ...(isStart || end === undefined ? {} : { from: end }), until: from });
    }
    if (until === undefined) {
      return gaps;
    }
    end = isStart ? until : (pick(end, until, 1) as string);
    isStart = false;
  }
  return [...gaps, end === undefined ? {} : { from: end }];
}
