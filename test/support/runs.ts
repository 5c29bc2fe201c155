/**
 * How often a property is tried: as often as `all` says in CI, a fifth of it (or another part) beside an
 * editor, where the whole suite takes less than a minute.
 */
export function runs(all: number, part = 5): number {
  return process.env['CI'] === undefined ? Math.ceil(all / part) : all;
}
