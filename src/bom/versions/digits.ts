import { byCodeUnit } from '../../base/text.ts';
/**
 * Orders two runs of ASCII digits as numbers of any length; leading zeros and an empty run count as nothing.
 */
export function compareDigits(a: string, b: string): number {
  const [one, two] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return one.length - two.length || byCodeUnit(one, two);
}
