/** A rectangle in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Weighted {
  /** Above zero. */
  readonly weight: number;
}

/**
 * Fills `box` with one rectangle for each item, its area in proportion to its weight, none much longer than
 * wide (Bruls, Huizing, van Wijk, "Squarified Treemaps", 2000). Items come largest first.
 */
export function squarify<T extends Weighted>(items: readonly T[], box: Box): readonly (readonly [T, Box])[] {
  const total = items.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= 0 || box.width <= 0 || box.height <= 0) {
    return [];
  }
  const scale = (box.width * box.height) / total;
  const placed: (readonly [T, Box])[] = [];
  let left = box;
  for (let at = 0; at < items.length; ) {
    const side = Math.min(left.width, left.height);
    let end = at + 1;
    let worst = worstRatio(items, at, end, side, scale);
    while (end < items.length) {
      const next = worstRatio(items, at, end + 1, side, scale);
      if (next > worst) {
        break;
      }
      worst = next;
      end += 1;
    }
    left = placeRow(items.slice(at, end), left, scale, placed);
    at = end;
  }
  return placed;
}

/** Of the items from `at` to `end` as one row along a side of that length. */
function worstRatio(
  items: readonly Weighted[],
  at: number,
  end: number,
  side: number,
  scale: number,
): number {
  let sum = 0;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let place = at; place < end; place += 1) {
    const area = (items[place]?.weight ?? 0) * scale;
    sum += area;
    least = Math.min(least, area);
    most = Math.max(most, area);
  }
  const squared = side * side;
  return Math.max((squared * most) / (sum * sum), (sum * sum) / (squared * least));
}

function placeRow<T extends Weighted>(
  row: readonly T[],
  box: Box,
  scale: number,
  placed: (readonly [T, Box])[],
): Box {
  const area = row.reduce((sum, { weight }) => sum + weight, 0) * scale;
  const isUpright = box.width >= box.height;
  const thickness = area / (isUpright ? box.height : box.width);
  let offset = 0;
  for (const item of row) {
    const length = (item.weight * scale) / thickness;
    placed.push([
      item,
      isUpright
        ? { x: box.x, y: box.y + offset, width: thickness, height: length }
        : { x: box.x + offset, y: box.y, width: length, height: thickness },
    ]);
    offset += length;
  }
  return isUpright
    ? { ...box, x: box.x + thickness, width: Math.max(0, box.width - thickness) }
    : { ...box, y: box.y + thickness, height: Math.max(0, box.height - thickness) };
}
