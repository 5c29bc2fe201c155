import { compare, satisfies, valid } from '@renovatebot/pep440';
import { byCodeUnit } from '../../base/text.ts';

/** Digits that a JavaScript number holds exactly. */
const exactDigits = 15;

/**
 * Orders versions by PEP 440 where both are versions, else as text. A number of more than 15 digits counts as
 * the largest of 15: the library rounds larger ones and reads the result, `1e+22`, as no version.
 */
export function comparePythonVersions(one: string, other: string): number {
  const [a, b] = [bounded(one), bounded(other)];
  return valid(a) !== null && valid(b) !== null ? compare(a, b) : byCodeUnit(one, other);
}

/**
 * Whether a version fulfils `OPERATOR` and `wanted`, pre-releases included; `undefined` where one of the two
 * is no version of PEP 440.
 */
export function satisfiesVersion(version: string, operator: string, wanted: string): boolean | undefined {
  const [found, asked] = [bounded(version), bounded(wanted)];
  const isWild = /\.\*$/.test(asked) && /^[=!]=$/.test(operator);
  if (valid(found) === null || valid(isWild ? asked.slice(0, -2) : asked) === null) {
    return undefined;
  }
  return satisfies(found, `${operator}${asked}`, { prereleases: true });
}

function bounded(version: string): string {
  return version.replace(/\d{16,}/g, (digits) => {
    const significant = digits.replace(/^0+/, '');
    return significant.length > exactDigits ? '9'.repeat(exactDigits) : significant.padStart(1, '0');
  });
}
