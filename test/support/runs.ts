/**
 * How often a property is tried: as often as `all` says in CI, a fifth of it beside an editor, where the whole
 * suite takes less than a minute.
 */
export function runs(all: number): number {
  return process.env['CI'] === undefined ? Math.ceil(all / 5) : all;
}
