import type { PackedPage } from '../packed.ts';
import type { ShownRow } from './data.ts';
import { type Box, squarify } from './treemap.ts';

export type MapOrder = 'kind' | 'layer';

/** A rectangle of the map: a component, what is left of a group, or the files that nobody claims. */
export interface MapCell {
  readonly label: string;
  readonly weight: number;
  /** The component, where it is one. */
  readonly row?: ShownRow;
  /** Place of its kind, for the colour; -1 for what has none. */
  readonly kind: number;
}

export interface MapGroup {
  readonly label: string;
  readonly weight: number;
  readonly cells: readonly MapCell[];
}

/** More rectangles nobody can tell apart. */
const maxCells = 60;

/** Whether anything says how large it is; otherwise every component counts as much as any other. */
export function hasSizes(rows: readonly ShownRow[]): boolean {
  return rows.some(({ size }) => size > 0);
}

/** Groups of the map, largest first. What lies in another component is part of that. */
export function toGroups(page: PackedPage, rows: readonly ShownRow[], order: MapOrder): readonly MapGroup[] {
  const bySize = hasSizes(rows);
  const shown = rows.filter(({ owner, size }) => (bySize ? size > 0 : true) && owner < 0);
  const groups = Map.groupBy(shown, (row) => (order === 'kind' ? row.kind : row.layer));
  if (order === 'layer' && bySize) {
    for (const at of page.layers.keys()) {
      groups.set(at, groups.get(at) ?? []);
    }
  }
  return [...groups]
    .map(([place, members]) => toGroup(page, members, order, place, bySize))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
}

function toGroup(
  page: PackedPage,
  members: readonly ShownRow[],
  order: MapOrder,
  place: number,
  bySize: boolean,
): MapGroup {
  const cells = members
    .map((row): MapCell => ({ label: row.name, weight: bySize ? row.size : 1, row, kind: row.kind }))
    .sort((a, b) => b.weight - a.weight);
  const weigh = (list: readonly MapCell[]): number => list.reduce((sum, { weight }) => sum + weight, 0);
  const rest = cells.slice(maxCells);
  const layer = order === 'layer' ? page.layers[place] : undefined;
  const unclaimed = bySize && layer !== undefined ? Math.max(0, layer[2] - weigh(cells)) : 0;
  const all = [
    ...cells.slice(0, maxCells),
    ...(rest.length === 0
      ? []
      : [{ label: `${rest.length} smaller ones`, weight: weigh(rest), kind: order === 'kind' ? place : -1 }]),
    ...(unclaimed === 0 ? [] : [{ label: 'other files', weight: unclaimed, kind: -1 }]),
  ].sort((a, b) => b.weight - a.weight);
  return { label: labelOf(page, order, place), weight: weigh(all), cells: all };
}

function labelOf(page: PackedPage, order: MapOrder, place: number): string {
  if (order === 'kind') {
    return page.kinds[place]?.[1] ?? 'others';
  }
  const layer = page.layers[place];
  return layer === undefined
    ? 'no known layer'
    : `layer ${layer[0]}${layer[1] === '' ? '' : `: ${layer[1]}`}`;
}

export interface PlacedGroup {
  readonly group: MapGroup;
  readonly box: Box;
  readonly cells: readonly (readonly [MapCell, Box])[];
}

/** Height of the line with the name of a group. */
const head = 18;
const gap = 2;

export function layOut(groups: readonly MapGroup[], box: Box): readonly PlacedGroup[] {
  return squarify(groups, box).map(([group, outer]) => {
    const inner = {
      x: outer.x + gap,
      y: outer.y + head,
      width: outer.width - 2 * gap,
      height: outer.height - head - gap,
    };
    return { group, box: outer, cells: squarify(group.cells, inner) };
  });
}
