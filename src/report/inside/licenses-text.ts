import { plural, printable } from '../../base/text.ts';
import type { BomContents, ContentItem } from '../../bom/contents.ts';
import { labelOfLicense } from './license-label.ts';
import { type LicenseUse, licenseUses } from './overview.ts';
import { cut } from './overview-text.ts';

/** Names on the line of a licence before the rest is counted. */
const maxNames = 8;

/**
 * Every licence with those who are under it, the most frequent first, and those of whom none is known last.
 *
 * @param all Every name on a line of its own.
 */
export function toLicensesText({ items }: BomContents, columns: number, all: boolean): string {
  const unknown = items.filter(({ licenses }) => licenses.length === 0);
  const uses: readonly LicenseUse[] = [
    ...licenseUses(items),
    ...(unknown.length === 0 ? [] : [{ license: 'of no known licence', items: unknown }]),
  ];
  const lines = uses.flatMap(({ items: users, license }) => [
    `${String(users.length).padStart(5)}  ${printable(labelOfLicense(license), 300)}`,
    ...namesOf(users, all).map((line) => `         ${line}`),
  ]);
  return [`${plural(items.length, 'component')}, ${plural(uses.length, 'licence')}`, '', ...lines]
    .map((line) => `${cut(line, columns)}\n`)
    .join('');
}

function namesOf(items: readonly ContentItem[], all: boolean): readonly string[] {
  const names = [...new Set(items.map(({ component }) => printable(component.name, 120)))];
  if (all) {
    return names;
  }
  const rest = names.length - maxNames;
  return [`${names.slice(0, maxNames).join(', ')}${rest > 0 ? `, and ${rest} more` : ''}`];
}

export function toLicensesJson({ items }: BomContents): object {
  const nameOf = ({ component }: ContentItem) => ({
    name: component.name,
    version: component.version,
    purl: component.purl,
  });
  return {
    licenses: licenseUses(items).map(({ items: users, license }) => ({
      license,
      components: users.map(nameOf),
    })),
    unknown: items.filter(({ licenses }) => licenses.length === 0).map(nameOf),
  };
}
