import { compare as comparePep440, valid as isPep440 } from '@renovatebot/pep440';
import { cannotTell, type TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import type { PurlParts } from './purl.ts';
import { compareVersions as compareApk, isVersion as isApk } from './versions/apk.ts';
import { compareVersions as compareDeb } from './versions/deb.ts';
import { compareEvr } from './versions/rpm.ts';
import { compareSemver, isSemver } from './versions/semver.ts';

/** A range of versions in the order of one ecosystem, as the VERS specification of package-url spells it: `vers:deb/>=5.6.0|<5.6.2`. */
export interface VersionRange {
  /** The purl type whose versions it is about. */
  readonly type: string;
  /** By version, oldest first, no version twice. Empty: every version. */
  readonly constraints: readonly Constraint[];
}

interface Constraint {
  readonly comparator: '!=' | '<' | '<=' | '=' | '>' | '>=';
  readonly version: string;
}

/** How an ecosystem tells a version from other text, and which of two is older. */
interface Order {
  isVersion(text: string): boolean;
  compare(a: string, b: string): number;
}

const semver: Order = { isVersion: isSemver, compare: compareSemver };

/** By purl type. Others have no order here: a range about them could not be believed. */
const orders: Readonly<Record<string, Order>> = {
  apk: { isVersion: isApk, compare: compareApk },
  cargo: semver,
  deb: { isVersion: (text) => /^(?:\d+:)?\d[\w.+~:-]*$/.test(text), compare: compareDeb },
  golang: semver,
  npm: semver,
  pypi: { isVersion: (text) => isPep440(text) !== null, compare: comparePep440 },
  rpm: { isVersion: (text) => /^(?:\d+:)?[\w.+~^-]+$/.test(text), compare: compareEvr },
};

/** The longest real range, of a package with fixes in ten branches, has some 40 constraints. */
const maxConstraints = 200;
const maxLength = 8192;

/**
 * Reads `vers:TYPE/CONSTRAINT|CONSTRAINT`, where a constraint is a version with `=`, `!=`, `<`, `<=`, `>` or `>=` before it (nothing means `=`),
 * or one `*` for all. Constraints may come in any order. Reserved characters of a version are percent-encoded or not.
 *
 * @throws TcfError `vers.malformed` (exit 2).
 */
export function parseVers(text: string): VersionRange {
  const [, type = '', rest = ''] = /^vers:([a-z][a-z0-9.-]*)\/(.+)$/.exec(text) ?? [];
  if (type === '' || text.length > maxLength) throw malformed(text, 'it is not "vers:TYPE/CONSTRAINTS"');
  const order = Object.hasOwn(orders, type) ? orders[type] : undefined;
  if (order === undefined) {
    throw malformed(
      text,
      `versions of ${quoted(type)} have no order; known are ${Object.keys(orders).join(', ')}`,
    );
  }
  if (rest === '*') return { type, constraints: [] };
  const pieces = rest.split('|');
  if (pieces.length > maxConstraints) throw malformed(text, `it has more than ${maxConstraints} constraints`);
  const constraints = pieces
    .map((piece) => parseConstraint(piece, text, order))
    .sort((a, b) => order.compare(a.version, b.version));
  for (const [at, { version }] of constraints.entries()) {
    const next = constraints[at + 1];
    if (next !== undefined && order.compare(version, next.version) === 0)
      throw malformed(text, `the version ${quoted(version)} stands twice`);
  }
  refuseGaps(constraints, text);
  return { type, constraints };
}

function parseConstraint(piece: string, text: string, { isVersion }: Order): Constraint {
  const [, comparator = '', encoded = ''] = /^\s*(!=|<=|>=|<|>|=|)\s*([^\s|<>=!*]+)\s*$/.exec(piece) ?? [];
  const version = decode(encoded);
  if (version === undefined || !isVersion(version))
    throw malformed(text, `${quoted(piece)} is not a constraint`);
  return { comparator: (comparator === '' ? '=' : comparator) as Constraint['comparator'], version };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Two lower bounds in a row, or two upper ones: one of them would mean nothing, and whoever wrote it meant something. */
function refuseGaps(constraints: readonly Constraint[], text: string): void {
  const bounds = constraints.filter(({ comparator }) => /[<>]/.test(comparator));
  for (const [at, { comparator, version }] of bounds.entries()) {
    if (comparator[0] === bounds[at + 1]?.comparator[0])
      throw malformed(text, `the bound at ${quoted(version)} says nothing beside its neighbour`);
  }
}

/**
 * Whether the range holds the version, by the algorithm of the VERS specification; `undefined` where the text is no version of this ecosystem.
 */
export function isInRange(range: VersionRange, version: string): boolean | undefined {
  const order = Object.hasOwn(orders, range.type) ? orders[range.type] : undefined;
  if (order === undefined || !order.isVersion(version)) return undefined;
  const { constraints } = range;
  if (constraints.length === 0) return true;
  const same = constraints.find((constraint) => order.compare(version, constraint.version) === 0);
  if (same !== undefined) return ['<=', '=', '>='].includes(same.comparator);
  const bounds = constraints.filter(({ comparator }) => /[<>]/.test(comparator));
  if (bounds.length === 0) return constraints.every(({ comparator }) => comparator === '!=');
  // Between two bounds a version is inside where the one below opens or, below all of them, where the one above closes.
  const below = bounds.findLast((bound) => order.compare(bound.version, version) < 0);
  const above = bounds.find((bound) => order.compare(bound.version, version) > 0);
  return below === undefined ? above?.comparator.startsWith('<') === true : below.comparator.startsWith('>');
}

/** The version by which an ecosystem orders a package: rpm keeps its epoch in a qualifier of the purl. */
export function orderedVersion({ qualifiers, type, version }: PurlParts): string | undefined {
  const epoch = qualifiers?.['epoch'];
  return type === 'rpm' && version !== undefined && epoch !== undefined ? `${epoch}:${version}` : version;
}

function malformed(text: string, why: string): TcfError {
  return cannotTell('vers.malformed', `cannot read ${quoted(text)} as a version range: ${why}`);
}
