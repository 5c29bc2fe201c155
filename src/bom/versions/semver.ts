import { remembered } from '../../base/remember.ts';
import { byCodeUnit } from '../../base/text.ts';
import { compareDigits } from './digits.ts';

const number = '(?:0|[1-9]\\d*)';
const word = `(?:${number}|\\d*[A-Za-z-][0-9A-Za-z-]*)`;
const semver = new RegExp(
  `^(${number})\\.(${number})\\.(${number})(?:-(${word}(?:\\.${word})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/**
 * Whether the text is a version by Semantic Versioning 2.0.0; a `v` before it is allowed, as npm and cargo
 * read it.
 */
export function isSemver(text: string): boolean {
  return partsOf(text) !== undefined;
}

/**
 * Orders two versions as Semantic Versioning 2.0.0 section 11 says; build metadata does not count. Both have
 * to be versions.
 */
export function compareSemver(a: string, b: string): number {
  const [one, two] = [partsOf(a), partsOf(b)];
  return one === undefined || two === undefined ? 0 : compareParts(one, two);
}

/**
 * Whether Go knows the text as a version: of a module (`v1.2.3`, pseudo-versions and `+incompatible`
 * included, `v1` and `v1.2` short for zeros) or of the toolchain and its standard library (`go1.22.1`,
 * `1.22rc1`).
 */
export function isGoVersion(text: string): boolean {
  return isSemver(toGoSemver(text));
}

/** In the order of golang.org/x/mod/semver. */
export function compareGo(a: string, b: string): number {
  return compareSemver(toGoSemver(a), toGoSemver(b));
}

/** `1.22rc1` is `1.22.0-rc.1`, as Go's vulnerability database writes it. */
function toGoSemver(text: string): string {
  const toolchain = /^(?:go)?(\d+)\.(\d+)(?:\.(\d+))?(alpha|beta|rc)(\d+)$/.exec(text);
  if (toolchain !== null) {
    const [, major, minor, patch = '0', stage, count] = toolchain;
    return `${major}.${minor}.${patch}-${stage}.${count}`;
  }
  const plain = text.replace(/^(?:go|v)/, '');
  if (/^\d+$/.test(plain)) {
    return `${plain}.0.0`;
  }
  return /^\d+\.\d+$/.test(plain) ? `${plain}.0` : plain;
}

interface Parts {
  readonly core: readonly [string, string, string];
  readonly early: readonly string[];
}

/** npm refuses longer texts too (its MAX_LENGTH). */
const maxLength = 256;

const partsOf: (text: string) => Parts | undefined = remembered((text) => {
  if (text.length > maxLength) {
    return undefined;
  }
  const [, major, minor, patch, early] = semver.exec(text.replace(/^v/, '')) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) {
    return undefined;
  }
  return { core: [major, minor, patch], early: early === undefined ? [] : early.split('.') };
});

function compareParts(one: Parts, two: Parts): number {
  for (const at of [0, 1, 2] as const) {
    const order = compareDigits(one.core[at], two.core[at]);
    if (order !== 0) {
      return order;
    }
  }
  // A version without a pre-release is newer than the same with one.
  if (one.early.length === 0 || two.early.length === 0) {
    return two.early.length - one.early.length;
  }
  return compareEarly(one.early, two.early);
}

function compareEarly(one: readonly string[], two: readonly string[]): number {
  for (const [at, left] of one.entries()) {
    const right = two[at];
    if (right === undefined) {
      return 1;
    }
    const [isNumber, isOtherNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (isNumber !== isOtherNumber) {
      return isNumber ? -1 : 1;
    }
    const order = isNumber ? compareDigits(left, right) : byCodeUnit(left, right);
    if (order !== 0) {
      return order;
    }
  }
  return one.length - two.length;
}
