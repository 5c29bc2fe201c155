import type { Loose } from './key-bundle.ts';

/** Changes to genuine documents, one at a time. */

export type Path = readonly (string | number)[];

export function* leaves(value: Loose, path: Path = []): Generator<Path> {
  if (typeof value !== 'object' || value === null) {
    yield path;
  } else {
    for (const [key, member] of Object.entries(value)) {
      yield* leaves(member, [...path, key]);
    }
  }
}

export function valueAt(json: Loose, path: Path): Loose {
  return path.reduce((node: Loose, key) => node[key], json);
}

/** A copy with another value at `path`; `undefined` takes the member away. */
export function changedAt(json: Loose, path: Path, change: (value: Loose) => Loose): Loose {
  const copy = structuredClone(json);
  const parent = valueAt(copy, path.slice(0, -1));
  const last = path.at(-1) ?? '';
  parent[last] = change(parent[last]);
  if (parent[last] === undefined) {
    delete parent[last];
  }
  return copy;
}

export const fieldChanges: readonly (readonly [string, (value: Loose) => Loose])[] = [
  ['is gone', () => undefined],
  ['is null', () => null],
  ['is empty', () => ''],
  ['is a number', () => 1],
  ['is a list', () => []],
  ['is an object', () => ({})],
  ['is longer', (value) => `${value}0`],
  ['is twice as long', (value) => `${value}${value}`],
  ['is shorter', (value) => String(value).slice(0, -1)],
  [
    'is in another case',
    (value) =>
      value === String(value).toUpperCase() ? String(value).toLowerCase() : String(value).toUpperCase(),
  ],
  ['is one more', (value) => (/^\d+$/.test(value) ? String(Number(value) + 1) : undefined)],
  ['is negative', (value) => `-${value}`],
];

/** With another byte at `at`, counted round. `mask` from 1 to 255. */
export function flipped(bytes: Uint8Array, at: number, mask: number): Buffer {
  const copy = Buffer.from(bytes);
  const place = at % copy.length;
  copy[place] = (copy[place] ?? 0) ^ mask;
  return copy;
}
