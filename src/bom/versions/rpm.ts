import { byCodeUnit } from '../../base/text.ts';
import { compareDigits } from './digits.ts';

/**
 * Orders two versions or two releases as rpm does: runs of digits or letters, `~` before everything, `^`
 * after the bare version only.
 */
export function compareRpmVersions(a: string, b: string): number {
  const runsA = runsOf(a);
  const runsB = runsOf(b);
  for (let at = 0; at < runsA.length || at < runsB.length; at += 1) {
    const one = runsA[at];
    const two = runsB[at];
    if (one === two) {
      continue;
    }
    if (one === '~' || two === '~') {
      return one === '~' ? -1 : 1;
    }
    // A caret is newer than the end, and older than anything else that follows.
    if (one === '^') {
      return two === undefined ? 1 : -1;
    }
    if (two === '^') {
      return one === undefined ? -1 : 1;
    }
    if (one === undefined || two === undefined) {
      return one === undefined ? -1 : 1;
    }
    const order = compareRuns(one, two);
    if (order !== 0) {
      return order;
    }
  }
  return 0;
}

/** Orders `[E:]V[-R]`; a missing epoch is 0, and releases count only where both have one. */
export function compareEvr(a: string, b: string): number {
  const [epochA, versionA, releaseA] = partsOf(a);
  const [epochB, versionB, releaseB] = partsOf(b);
  const order = compareRpmVersions(epochA, epochB) || compareRpmVersions(versionA, versionB);
  if (order !== 0 || releaseA === '' || releaseB === '') {
    return order;
  }
  return compareRpmVersions(releaseA, releaseB);
}

function runsOf(version: string): readonly string[] {
  return version.match(/[0-9]+|[A-Za-z]+|[~^]/g) ?? [];
}

function compareRuns(a: string, b: string): number {
  const isNumber = /^\d/.test(a);
  // A number is newer than a word.
  if (isNumber !== /^\d/.test(b)) {
    return isNumber ? 1 : -1;
  }
  return isNumber ? compareDigits(a, b) : byCodeUnit(a, b);
}

function partsOf(evr: string): readonly [string, string, string] {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(evr) ?? [];
  const hyphen = rest.lastIndexOf('-');
  return hyphen < 0 ? [epoch, rest, ''] : [epoch, rest.slice(0, hyphen), rest.slice(hyphen + 1)];
}
