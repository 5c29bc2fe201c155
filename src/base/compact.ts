/** `T` with each member that may be `undefined` made optional. */
export type Compact<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

/**
 * The record without the members that are `undefined`: an optional member is absent, in memory as in JSON.
 * The order stays, and so do members whose key is a symbol.
 */
export function compact<const T extends object>(record: T): Compact<T> {
  const kept: Record<PropertyKey, unknown> = {};
  const members = record as Readonly<Record<PropertyKey, unknown>>;
  // Names first and apart: this stands behind every answer of a scan, and `Reflect.ownKeys` takes four times as long.
  for (const key of Object.keys(record)) {
    const value = members[key];
    if (value !== undefined) {
      kept[key] = value;
    }
  }
  for (const key of Object.getOwnPropertySymbols(record)) {
    const value = members[key];
    if (value !== undefined) {
      kept[key] = value;
    }
  }
  return kept as Compact<T>;
}
