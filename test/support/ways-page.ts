/** A row of docs/ways-to-start.md. */
export interface WayRow {
  readonly section: string;
  readonly name: string;
  readonly outcome: string;
}

/** The rows of the page, in their order. */
export function waysIn(page: string): readonly WayRow[] {
  return page
    .split(/^## /m)
    .slice(1)
    .flatMap((text) => {
      const [section = '', ...lines] = text.split('\n');
      return lines.flatMap((line) => {
        const [, name, outcome] = /^\| (.*) \| ([^|]*) \|$/.exec(line) ?? [];
        return name === undefined || outcome === undefined || /^(?:way|---)$/.test(name)
          ? []
          : [{ section, name, outcome }];
      });
    });
}

/** The line that says how many ways the page has. */
export function countWays(page: string): string {
  const rows = waysIn(page);
  const count = (form: RegExp) => rows.filter(({ outcome }) => form.test(outcome)).length;
  return `${rows.length} ways: ${count(/^refused$/)} refused, ${count(/^gap: /)} gaps, ${count(/^not tried here: /)} not tried here.`;
}
