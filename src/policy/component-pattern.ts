import { askedWrongly, TcfError } from '../base/error.ts';
import { quoted } from '../base/text.ts';
import { type PurlParts, readPurl } from '../bom/purl.ts';
import { isInOrBeforeRange, isInRange, orderedVersion, parseVers, type VersionRange } from '../bom/vers.ts';
import { described, either, type Form, list, mapping, such, text, textOrNothing } from './form.ts';
import { matchName, patternProblem } from './purl-pattern.ts';

/**
 * A component as a policy names it: a purl, which may end in a version, or a purl with a range of versions.
 * `*` in namespace and name stands for any characters except `/`.
 */
export type ComponentShape = string | { readonly purl: string; readonly versions: string };

/** The same, read. Without version and range every version is meant. */
export interface ComponentPattern {
  readonly purl: PurlParts;
  /** As written; also that which the ecosystem takes for the same, where `range` holds it. */
  readonly version?: string;
  readonly range?: VersionRange;
}

/**
 * `unversioned`: the component does not say its version or distribution, or in a way that nobody can order,
 * or it is a candidate of an excluded bound.
 */
export type PatternMatch = 'match' | 'none' | 'unversioned';

/** As leniently as the purls of an SBOM are read, so that whatever stands there can be named. */
const purlText = such(textOrNothing, (purl) => {
  const parts = readPurl(purl);
  if (parts === undefined || purl.endsWith('/') || /\s/.test(purl)) {
    return 'is not a purl, such as pkg:deb/debian/telnetd or pkg:pypi/torch@2.0.0';
  }
  return isPlain(parts)
    ? patternProblem(parts)
    : 'has qualifiers or a subpath; here a purl has type, namespace, name and perhaps a version';
});

function isPlain({ qualifiers, subpath }: PurlParts): boolean {
  return subpath === undefined && Object.keys(qualifiers ?? {}).length === 0;
}

/** @throws TcfError `policy.malformed` (exit 3) for what `purlText` would have refused. */
function partsOf(purl: string): PurlParts {
  const parts = readPurl(purl);
  if (parts === undefined) {
    throw askedWrongly('policy.malformed', `cannot read ${quoted(purl)} as a purl`);
  }
  return parts;
}

const ranged = such(
  mapping({
    purl: such(purlText, (purl) =>
      partsOf(purl).version === undefined ? undefined : 'has a version beside the range',
    ),
    versions: described(
      such(text, rangeProblem),
      'VERS range, in the order of its ecosystem: vers:deb/>=5.6.0|<5.6.2',
    ),
  }),
  ({ purl, versions }) =>
    parseVers(versions).type === partsOf(purl).type
      ? undefined
      : 'is a range of another ecosystem than the purl',
  { member: 'versions' },
);

/** A list of them, as rules take it. */
export const componentPatterns: Form<readonly ComponentShape[]> = list(either(purlText, ranged));

function rangeProblem(text: string): string | undefined {
  try {
    parseVers(text);
    return undefined;
  } catch (error) {
    if (error instanceof TcfError) {
      return `is not a version range: ${error.message}`;
    }
    throw error;
  }
}

/** @throws TcfError for what `componentPatterns` would have refused. */
export function toComponentPattern(shape: ComponentShape): ComponentPattern {
  if (typeof shape !== 'string') {
    return { purl: partsOf(shape.purl), range: parseVers(shape.versions) };
  }
  const { version, ...purl } = partsOf(shape);
  if (version === undefined) {
    return { purl };
  }
  const range: VersionRange = { type: purl.type, constraints: [{ comparator: '=', version }] };
  return isInRange(range, version) === undefined ? { purl, version } : { purl, version, range };
}

/** `pkg:deb/debian/telnetd`, or with its range: `pkg:deb/debian/xz-utils in vers:deb/<5.6.2`. */
export function formatComponent(shape: ComponentShape): string {
  return typeof shape === 'string' ? shape : `${shape.purl} in ${shape.versions}`;
}

/** By parsed parts, so that no second spelling slips past. */
export function matchComponent(pattern: ComponentPattern, found: PurlParts): PatternMatch {
  const named = matchName(pattern.purl, found);
  if (named === 'none') {
    return 'none';
  }
  const matched = matchVersion(pattern, found);
  return matched === 'match' && named === 'perhaps' ? 'unversioned' : matched;
}

function matchVersion({ range, version: wanted }: ComponentPattern, found: PurlParts): PatternMatch {
  if (range === undefined && wanted === undefined) {
    return 'match';
  }
  const version = orderedVersion(found);
  if (version === undefined) {
    return 'unversioned';
  }
  if (wanted === found.version) {
    return 'match';
  }
  const isInside = range === undefined ? false : isInRange(range, version);
  if (isInside === undefined) {
    return 'unversioned';
  }
  if (isInside) {
    return 'match';
  }
  return range !== undefined && isInOrBeforeRange(range, version) === true ? 'unversioned' : 'none';
}
