import { plural } from '../base/text.ts';
import { type JudgedDocument, profileNames, profileNotes } from '../bom/profiles.ts';
import { formatGrouped } from './diagnostics.ts';

/** Each field once, with the first component that misses it or states it as unknown. */
export function formatJudged({ missing, profile, unknown }: JudgedDocument): string {
  const result = missing.length === 0 ? 'complete' : `${plural(missing.length, 'field')} missing`;
  const stated = unknown.length === 0 ? '' : `, ${plural(unknown.length, 'field')} stated as unknown`;
  const note = profileNotes[profile];
  return [
    `${profileNames[profile]}: ${result}${stated}\n`,
    formatGrouped([...missing, ...unknown]),
    note === undefined ? '' : `  ${note}\n`,
  ].join('');
}
