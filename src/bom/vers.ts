import { cannotTell, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { PurlParts } from './purl.ts';
import { compareApkVersions as compareApk, isVersion as isApk } from './versions/apk.ts';
import { compareDebVersions as compareDeb } from './versions/deb.ts';
import { comparePep440, isPep440, parsePep440, satisfiesPep440 } from './versions/pep440.ts';
import { compareEvr } from './versions/rpm.ts';
import { compareGo, compareSemver, isGoVersion, isSemver } from './versions/semver.ts';

/**
 * A range of versions in the order of one ecosystem, as the VERS specification of package-url spells it:
 * `vers:deb/>=5.6.0|<5.6.2`.
 */
export interface VersionRange {
  /** The purl type whose versions it is about. */
  readonly type: string;
  /** By version, oldest first, no version twice. Empty: every version. */
  readonly constraints: readonly Constraint[];
}

type Comparator = '!=' | '<' | '<=' | '=' | '>' | '>=';

interface Constraint {
  readonly comparator: Comparator;
  readonly version: string;
}

/** How an ecosystem tells a version from other text, and which of two is older. */
export interface VersionOrder {
  isVersion(text: string): boolean;
  compare(a: string, b: string): number;
  /** Where a constraint means more than the order says. */
  satisfies?(version: string, comparator: Comparator, bound: string): boolean;
  /** Why the ecosystem's own tool would not take this constraint. */
  refuse?(constraint: Constraint): string | undefined;
}

const semver: VersionOrder = { isVersion: isSemver, compare: compareSemver };

/** By purl type. Others have no order here: a range about them could not be believed. */
const orders: Readonly<Record<string, VersionOrder>> = {
  apk: { isVersion: isApk, compare: compareApk },
  cargo: semver,
  deb: { isVersion: (text) => /^(?:\d+:)?\d[\w.+~:-]*$/.test(text), compare: compareDeb },
  golang: { isVersion: isGoVersion, compare: compareGo },
  npm: semver,
  pypi: {
    isVersion: isPep440,
    compare: comparePep440,
    satisfies: satisfiesPep440,
    refuse: ({ comparator, version }) =>
      /[<>]/.test(comparator) && parsePep440(version)?.local !== undefined
        ? 'PEP 440 allows a local version (+cu124) behind = and != only'
        : undefined,
  },
  rpm: { isVersion: (text) => /^(?:\d+:)?[\w.+~^-]+$/.test(text), compare: compareEvr },
};

/** Whether versions of this purl type have an order here. */
export function isOrdered(type: string): boolean {
  return Object.hasOwn(orders, type);
}

/** The order of the versions of a purl type; `undefined` where tcf knows none. */
export function versionOrder(type: string): VersionOrder | undefined {
  return Object.hasOwn(orders, type) ? orders[type] : undefined;
}

/** The longest real range, of a package with fixes in ten branches, has some 40 constraints. */
const maxConstraints = 200;
const maxLength = 8192;

/**
 * Reads `vers:TYPE/CONSTRAINT|CONSTRAINT`, where a constraint is a version with `=`, `!=`, `<`, `<=`, `>` or
 * `>=` before it (nothing means `=`), or one `*` for all. Constraints may come in any order. Reserved
 * characters of a version are percent-encoded or not.
 *
 * @throws TcfError `vers.malformed` (exit 2).
 */
export function parseVers(text: string): VersionRange {
  const [, type = '', rest = ''] = /^vers:([a-z][a-z0-9.-]*)\/(.+)$/.exec(text) ?? [];
  if (type === '' || text.length > maxLength) {
    throw malformed(text, 'it is not "vers:TYPE/CONSTRAINTS"');
  }
  const order = versionOrder(type);
  if (order === undefined) {
    throw malformed(
      text,
      `versions of ${quoted(type)} have no order; known are ${Object.keys(orders).join(', ')}`,
    );
  }
  if (rest === '*') {
    return { type, constraints: [] };
  }
  const pieces = rest.split('|');
  if (pieces.length > maxConstraints) {
    throw malformed(text, `it has more than ${maxConstraints} constraints`);
  }
  const constraints = pieces
    .map((piece) => parseConstraint(piece, text, order))
    .sort((a, b) => order.compare(a.version, b.version));
  for (const [at, { version }] of constraints.entries()) {
    const next = constraints[at + 1];
    if (next !== undefined && order.compare(version, next.version) === 0) {
      throw malformed(text, `the version ${quoted(version)} stands twice`);
    }
  }
  refuseGaps(constraints, text);
  return { type, constraints };
}

function parseConstraint(piece: string, text: string, { isVersion, refuse }: VersionOrder): Constraint {
  const [, comparator = '', encoded = ''] =
    /^\s*(!=|<=|>=|<|>|=|)\s*([^\s|<>=!*][^\s|<>=*]*)\s*$/.exec(piece) ?? [];
  const version = decode(encoded);
  if (version === undefined || !isVersion(version)) {
    throw malformed(text, `${quoted(piece)} is not a constraint`);
  }
  const constraint = { comparator: (comparator === '' ? '=' : comparator) as Comparator, version };
  const why = refuse?.(constraint);
  if (why !== undefined) {
    throw malformed(text, why);
  }
  return constraint;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Two lower bounds in a row, or two upper ones: one of them would mean nothing, and its author meant
 * something.
 */
function refuseGaps(constraints: readonly Constraint[], text: string): void {
  const bounds = constraints.filter(({ comparator }) => /[<>]/.test(comparator));
  for (const [at, { comparator, version }] of bounds.entries()) {
    if (comparator[0] === bounds[at + 1]?.comparator[0]) {
      throw malformed(text, `the bound at ${quoted(version)} says nothing beside its neighbour`);
    }
  }
}

/**
 * Whether the range holds the version, by the algorithm of the VERS specification with each constraint as the
 * ecosystem's own tool reads it; `undefined` where the text is not a version of this ecosystem.
 */
export function isInRange(range: VersionRange, version: string): boolean | undefined {
  const order = orderOf(range, version);
  return order && contains(range, (constraint) => satisfies(order, version, constraint));
}

/**
 * As `isInRange`, and true as well for what comes before an excluded upper bound in the plain order: PEP 440
 * leaves 2.6.0rc1 out of `<2.6.0`, and a policy that denies everything before 2.6.0 means its candidates too.
 */
export function isInOrBeforeRange(range: VersionRange, version: string): boolean | undefined {
  const order = orderOf(range, version);
  const isBefore = ({ comparator, version: bound }: Constraint): boolean =>
    comparator === '<' && order !== undefined && order.compare(version, bound) < 0;
  return (
    order && contains(range, (constraint) => isBefore(constraint) || satisfies(order, version, constraint))
  );
}

function orderOf(range: VersionRange, version: string): VersionOrder | undefined {
  const order = versionOrder(range.type);
  return order?.isVersion(version) === true ? order : undefined;
}

function contains({ constraints }: VersionRange, holds: (constraint: Constraint) => boolean): boolean {
  const bounds = constraints.filter(({ comparator }) => /[<>]/.test(comparator));
  const [equal, unequal] = ['=', '!='].map((wanted) =>
    constraints.filter(({ comparator }) => comparator === wanted),
  ) as [Constraint[], Constraint[]];
  if (equal.some(holds)) {
    return true;
  }
  if (!unequal.every(holds)) {
    return false;
  }
  // Without bounds and exact versions the range is everything but what it excludes.
  if (bounds.length === 0) {
    return equal.length === 0;
  }
  return intervalsOf(bounds).some((interval) => interval.every(holds));
}

function satisfies(order: VersionOrder, version: string, constraint: Constraint): boolean {
  const { comparator, version: bound } = constraint;
  if (order.satisfies !== undefined) {
    return order.satisfies(version, comparator, bound);
  }
  const sign = Math.sign(order.compare(version, bound));
  const wanted: Readonly<Record<Comparator, readonly number[]>> = {
    '!=': [-1, 1],
    '<': [-1],
    '<=': [-1, 0],
    '=': [0],
    '>': [1],
    '>=': [0, 1],
  };
  return wanted[comparator].includes(sign);
}

/**
 * Bounds come in turns, oldest first (`refuseGaps`): an upper one closes what the lower one before it opened.
 */
function intervalsOf(bounds: readonly Constraint[]): readonly (readonly Constraint[])[] {
  return bounds.flatMap((bound, at) => {
    if (bound.comparator.startsWith('<')) {
      return at === 0 ? [[bound]] : [];
    }
    const next = bounds[at + 1];
    return [next === undefined ? [bound] : [bound, next]];
  });
}

/** The version by which an ecosystem orders a package: rpm keeps its epoch in a qualifier of the purl. */
export function orderedVersion({ qualifiers, type, version }: PurlParts): string | undefined {
  const epoch = qualifiers?.['epoch'];
  return type === 'rpm' && version !== undefined && epoch !== undefined ? `${epoch}:${version}` : version;
}

function malformed(text: string, why: string): TcfError {
  return cannotTell('vers.malformed', `cannot read ${quoted(text)} as a version range: ${why}`);
}
