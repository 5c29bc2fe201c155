import { compact } from '../base/compact.ts';
import { formatBytes } from '../base/size.ts';
import { formatJson, plural, printable } from '../base/text.ts';
import type { DatabaseFacts } from '../vulns/data.ts';

/** What is known of the database that answers. */
export interface DatabaseStatus {
  readonly path: string;
  readonly file: { readonly digest: string; readonly size: number };
  readonly taken?: string;
  readonly facts: DatabaseFacts;
  readonly origin?: { readonly image?: string; readonly at: string };
}

export function toDatabaseJson({ facts, file, origin, path, taken }: DatabaseStatus, now: Date): string {
  return formatJson(
    compact({ path, ...file, taken, origin, age: dataAgeInDays(facts, taken, now), sources: facts.sources }),
    2,
  );
}

export function toDatabaseText(status: DatabaseStatus, now: Date): string {
  const { facts, file, origin, path, taken } = status;
  const age = dataAgeInDays(facts, taken, now);
  const lines = [
    `${printable(path, 2000)}: ${file.digest}, ${formatBytes(file.size)}`,
    origin?.image === undefined
      ? 'not from a registry'
      : `from ${printable(origin.image, 2000)}, which the policy allowed at ${printable(origin.at)}`,
    age === undefined
      ? 'its age is not known'
      : `${taken === undefined ? 'newest date in it' : 'taken'} ${plural(age, 'day')} ago`,
    ...facts.sources.map(
      ({ date, name, records, unread }) =>
        `  ${printable(name)}: ${unread > 0 ? `${plural(unread, 'record')} that could not be read` : plural(records, 'record')}${date === undefined ? '' : `, ${date.slice(0, 10)}`}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** Whole days since the data was taken, or since the newest date in it. */
export function dataAgeInDays(
  { sources }: DatabaseFacts,
  taken: string | undefined,
  now: Date,
): number | undefined {
  const date =
    taken ??
    sources
      .flatMap(({ date: own }) => own ?? [])
      .toSorted()
      .at(-1);
  return date === undefined ? undefined : Math.floor((Number(now) - Date.parse(date)) / 86_400_000);
}
