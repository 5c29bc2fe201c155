import { byCodeUnit, printable } from '../../base/text.ts';
import { flatten } from '../layout.ts';
import type { Component } from '../model.ts';
import { readPurl } from '../purl.ts';
import type { SbomFormat } from './format.ts';

/** For people: one line a component. What a stranger wrote is escaped. */
export const tableFormat: SbomFormat = {
  name: 'table',
  summary: 'name, version, kind and licence of each component, for people',
  write: ({ bom }) => {
    const rows = flatten(bom.components).map(rowOf);
    const sorted = rows.toSorted((a, b) => byCodeUnit(a.join('\0'), b.join('\0')));
    return formatRows([['NAME', 'VERSION', 'KIND', 'LICENCE'], ...sorted]);
  },
};

/** Longer cells make a line that nobody reads. */
const maxCell = 60;

function rowOf(component: Component): readonly string[] {
  const { name, purl, type, version } = component;
  const kind = purl === undefined ? type : (readPurl(purl)?.type ?? type);
  return [name, version ?? '', kind, licenseOf(component)].map((cell) => printable(cell, maxCell));
}

/** What is concluded, else what is declared. */
function licenseOf({ licenses = [] }: Component): string {
  const texts = (wanted: string): readonly string[] =>
    licenses
      .filter(({ acknowledgement }) => acknowledgement === wanted)
      .map((license) => ('expression' in license ? license.expression : license.name));
  const concluded = texts('concluded');
  return (concluded.length > 0 ? concluded : texts('declared')).join('; ');
}

function formatRows(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
