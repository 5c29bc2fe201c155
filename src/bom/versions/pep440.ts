import { remembered } from '../../base/remember.ts';
import { byCodeUnit } from '../../base/text.ts';
import { compareDigits } from './digits.ts';

/**
 * Versions of Python distributions as PEP 440 orders them, the same as `packaging` does. Numbers are compared
 * as digits: a double is exact up to 2^53 only, and dates such as 20240102030405060708 are real versions.
 */
export interface Pep440Version {
  readonly epoch: string;
  /** Without zeros at the end. */
  readonly release: readonly string[];
  readonly pre: readonly [letter: 'a' | 'b' | 'rc', number: string] | undefined;
  readonly post: string | undefined;
  readonly dev: string | undefined;
  /** Lower case. */
  readonly local: readonly string[] | undefined;
}

/** The longest real version (a date, a commit and a machine as local part) has under 100 characters. */
const maxLength = 1000;

/** PEP 440, appendix B. */
const form =
  /^v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)(?:[-_.]?(?<letter>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?<pre>\d+)?)?(?:-(?<implicit>\d+)|[-_.]?(?<word>post|rev|r)[-_.]?(?<post>\d+)?)?(?:[-_.]?(?<devword>dev)[-_.]?(?<dev>\d+)?)?(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/;

const letters: Readonly<Record<string, 'a' | 'b' | 'rc'>> = {
  a: 'a',
  alpha: 'a',
  b: 'b',
  beta: 'b',
  c: 'rc',
  pre: 'rc',
  preview: 'rc',
  rc: 'rc',
};

/**
 * `undefined` where the text is not a version by PEP 440. Case, a `v` before it and white space around it do
 * not count.
 */
export const parsePep440: (text: string) => Pep440Version | undefined = remembered((text) => {
  if (text.length > maxLength) {
    return undefined;
  }
  const groups = form.exec(text.trim().toLowerCase())?.groups;
  if (groups === undefined) {
    return undefined;
  }
  const { dev, devword, epoch = '0', implicit, letter, local, post, pre, release = '', word } = groups;
  const stage = letter === undefined ? undefined : letters[letter];
  return {
    epoch,
    release: release.replace(/(?:\.0+)+$/, '').split('.'),
    pre: stage === undefined ? undefined : [stage, pre ?? '0'],
    post: implicit ?? (word === undefined ? undefined : (post ?? '0')),
    dev: devword === undefined ? undefined : (dev ?? '0'),
    local: local?.split(/[-_.]/),
  };
});

export function isPep440(text: string): boolean {
  return parsePep440(text) !== undefined;
}

/** Less than zero where `a` is older. Both have to be versions; a text that is not one equals everything. */
export function comparePep440(a: string, b: string): number {
  const [one, two] = [parsePep440(a), parsePep440(b)];
  return one === undefined || two === undefined ? 0 : compare(one, two);
}

/** Whether a specifier of PEP 440 with this bound contains the version, candidates of releases included. */
export function satisfiesPep440(
  version: string,
  comparator: '!=' | '<' | '<=' | '=' | '>' | '>=',
  bound: string,
): boolean {
  const [asked, limit] = [parsePep440(version), parsePep440(bound)];
  if (asked === undefined || limit === undefined) {
    return false;
  }
  // The local part says how a release was built: a specifier without one means every build (2.5.1+cu124 is
  // 2.5.1).
  const release = { ...asked, local: undefined };
  switch (comparator) {
    case '!=':
      return !isEqual(asked, release, limit);
    case '=':
      return isEqual(asked, release, limit);
    case '<=':
      return compare(release, limit) <= 0;
    case '>=':
      return compare(release, limit) >= 0;
    case '<':
      return compare(asked, isEarly(limit) ? limit : { ...limit, dev: '0' }) < 0;
    case '>':
      return isAfter(asked, release, limit);
  }
}

function isEqual(asked: Pep440Version, release: Pep440Version, limit: Pep440Version): boolean {
  return compare(limit.local === undefined ? release : asked, limit) === 0;
}

/**
 * `>1.7` holds neither 1.7.post1 nor 1.7+local: both are 1.7 built again. `>1.7.post1` and `>1.7.dev1` hold
 * what follows them.
 */
function isAfter(asked: Pep440Version, release: Pep440Version, limit: Pep440Version): boolean {
  if (compare(release, limit) <= 0) {
    return false;
  }
  const canBeBuiltAgain = limit.post === undefined && limit.dev === undefined;
  return !(canBeBuiltAgain && isOfSameRelease(asked, limit));
}

function isEarly({ dev, pre }: Pep440Version): boolean {
  return dev !== undefined || pre !== undefined;
}

/**
 * Whether both are the same release or the same candidate of it, whatever post-release, development release
 * or build.
 */
function isOfSameRelease(a: Pep440Version, b: Pep440Version): boolean {
  return (
    compareDigits(a.epoch, b.epoch) === 0 &&
    compareReleases(a.release, b.release) === 0 &&
    a.pre?.[0] === b.pre?.[0] &&
    compareDigits(a.pre?.[1] ?? '', b.pre?.[1] ?? '') === 0
  );
}

function compare(a: Pep440Version, b: Pep440Version): number {
  return (
    compareDigits(a.epoch, b.epoch) ||
    compareReleases(a.release, b.release) ||
    comparePre(a, b) ||
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1) ||
    compareLocal(a.local, b.local)
  );
}

function compareReleases(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < a.length || at < b.length; at += 1) {
    const order = compareDigits(a[at] ?? '', b[at] ?? '');
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

function comparePre(a: Pep440Version, b: Pep440Version): number {
  const order = stageOf(a) - stageOf(b);
  return order === 0 ? compareDigits(a.pre?.[1] ?? '', b.pre?.[1] ?? '') : order;
}

/** 1.0.dev1 comes before 1.0a1, which comes before 1.0 and 1.0.post1.dev1. */
function stageOf({ dev, post, pre }: Pep440Version): number {
  if (pre === undefined) {
    return dev !== undefined && post === undefined ? 0 : 4;
  }
  return 1 + ['a', 'b', 'rc'].indexOf(pre[0]);
}

/** @param absent where a version without this part comes: -1 before all that have it, 1 after. */
function compareOptional(a: string | undefined, b: string | undefined, absent: -1 | 1): number {
  if (a === undefined && b === undefined) {
    return 0;
  }
  if (a === undefined) {
    return absent;
  }
  if (b === undefined) {
    return -absent;
  }
  return compareDigits(a, b);
}

/** Part by part; a number is newer than a word, and more parts are newer than fewer. */
function compareLocal(a: readonly string[] | undefined, b: readonly string[] | undefined): number {
  if (a === undefined || b === undefined) {
    return Number(b === undefined) - Number(a === undefined);
  }
  for (const [at, one] of a.entries()) {
    const two = b[at];
    if (two === undefined) {
      return 1;
    }
    const [isNumber, isOther] = [/^\d+$/.test(one), /^\d+$/.test(two)];
    if (isNumber !== isOther) {
      return isNumber ? 1 : -1;
    }
    const order = isNumber ? compareDigits(one, two) : byCodeUnit(one, two);
    if (order !== 0) {
      return order;
    }
  }
  return a.length - b.length;
}
