const semver =
  /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** Whether the text is a version by Semantic Versioning 2.0.0; the `v` that Go writes before it is allowed. */
export function isSemver(text: string): boolean {
  return partsOf(text) !== undefined;
}

/** Orders two versions as Semantic Versioning 2.0.0 section 11 says; build metadata does not count. Both have to be versions. */
export function compareSemver(a: string, b: string): number {
  const [one, two] = [partsOf(a), partsOf(b)];
  if (one === undefined || two === undefined) return 0;
  for (const at of [0, 1, 2] as const) {
    const order = compareNumbers(one.core[at], two.core[at]);
    if (order !== 0) return order;
  }
  // A version without a pre-release is newer than the same with one.
  if (one.early.length === 0 || two.early.length === 0) return two.early.length - one.early.length;
  return compareEarly(one.early, two.early);
}

interface Parts {
  readonly core: readonly [string, string, string];
  readonly early: readonly string[];
}

function partsOf(text: string): Parts | undefined {
  const [, major, minor, patch, early] = semver.exec(text.replace(/^v/, '')) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  return { core: [major, minor, patch], early: early === undefined ? [] : early.split('.') };
}

function compareEarly(one: readonly string[], two: readonly string[]): number {
  for (const [at, left] of one.entries()) {
    const right = two[at];
    if (right === undefined) return 1;
    const [isNumber, isOtherNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
    const order = isNumber ? compareNumbers(left, right) : left < right ? -1 : left > right ? 1 : 0;
    if (order !== 0) return order;
  }
  return one.length - two.length;
}

/** Numbers of any length. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+(?=\d)/, ''), b.replace(/^0+(?=\d)/, '')];
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}
