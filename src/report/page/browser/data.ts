import type { PackedPage } from '../packed.ts';

/** A row of the table as the page works with it. */
export interface ShownRow {
  readonly at: number;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly kind: number;
  readonly license: number;
  readonly layer: number;
  readonly origin: number;
  readonly size: number;
  readonly owner: number;
  readonly location: string;
  readonly needs: readonly number[] | undefined;
  /** All that the search looks at, in lower case. */
  readonly text: string;
}

export function toRows({ kinds, licenses, rows }: PackedPage): readonly ShownRow[] {
  return rows.map(
    ([name, version, purl, kind, license, layer, origin, size, owner, location, needs], at): ShownRow => ({
      at,
      name,
      version,
      purl,
      kind,
      license,
      layer,
      origin,
      size,
      owner,
      location,
      needs: needs === 0 ? undefined : needs,
      text: [name, version, purl, kinds[kind]?.join(' '), licenses[license], location]
        .join('\n')
        .toLowerCase(),
    }),
  );
}

/** What the user wants to see. A place of -1 stands for everything, -2 for what has none. */
export interface Query {
  /** Words that all have to stand somewhere in a row. */
  readonly words: string;
  readonly kind: number;
  readonly layer: number;
  readonly license: number;
  /** 0 for everything. */
  readonly origin: number;
  readonly by: SortKey;
  readonly isDescending: boolean;
}

export type SortKey = 'kind' | 'layer' | 'license' | 'name' | 'size' | 'version';

export const everything = -1;
export const nothing = -2;

/** All rows in the order of a query. Rows that are alike keep the order of the document. */
export function inOrder(
  rows: readonly ShownRow[],
  { by, isDescending }: Pick<Query, 'by' | 'isDescending'>,
): ShownRow[] {
  const order = orders[by];
  const turn = isDescending ? -1 : 1;
  return [...rows].sort((a, b) => turn * order(a, b) || a.at - b.at);
}

/** The rows that a query means, in the order in which they are given. */
export function select(
  rows: readonly ShownRow[],
  query: Omit<Query, 'by' | 'isDescending'>,
): readonly ShownRow[] {
  const words = query.words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (wanted: number, place: number): boolean =>
    wanted === everything || place === (wanted === nothing ? -1 : wanted);
  return rows.filter(
    (row) =>
      fits(query.kind, row.kind) &&
      fits(query.layer, row.layer) &&
      fits(query.license, row.license) &&
      (query.origin === 0 || row.origin === query.origin) &&
      words.every((word) => row.text.includes(word)),
  );
}

const byText = (a: string, b: string): number => Number(a > b) - Number(a < b);

const orders: Readonly<Record<SortKey, (a: ShownRow, b: ShownRow) => number>> = {
  name: (a, b) => byText(a.name, b.name),
  version: (a, b) => byText(a.version, b.version),
  kind: (a, b) => a.kind - b.kind,
  license: (a, b) => a.license - b.license,
  layer: (a, b) => a.layer - b.layer,
  size: (a, b) => a.size - b.size,
};

/** Who needs what, turned around. */
export function usersOf(rows: readonly ShownRow[]): ReadonlyMap<number, readonly number[]> {
  const users = new Map<number, number[]>();
  for (const { at, needs = [] } of rows) {
    for (const need of needs) {
      const known = users.get(need);
      if (known === undefined) {
        users.set(need, [at]);
      } else {
        known.push(at);
      }
    }
  }
  return users;
}
