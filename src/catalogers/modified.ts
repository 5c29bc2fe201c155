import type { Property } from '../bom/model.ts';
import type { TreeFile } from './contract.ts';

/** The last second of the year 9999: RFC 3339 has four digits. */
const last = 253_402_300_799;

/**
 * When a file was changed last, for a component that is this file and does not say its version: the next best
 * thing to tell two apart by.
 */
export function modifiedAt({ modified }: TreeFile): readonly Property[] {
  if (modified === undefined || !(modified >= 0 && modified <= last)) {
    return [];
  }
  const value = new Date(modified * 1000).toISOString().replace('.000Z', 'Z');
  return [{ name: 'tcf:file:modified', value }];
}
