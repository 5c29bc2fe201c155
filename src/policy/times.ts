import { type Form, textLike, textThat } from './form.ts';

const hour = 3_600_000;
const units: Readonly<Record<string, number>> = { h: hour, d: 24 * hour, w: 7 * 24 * hour };

/** `36h`, `90d`, `4w`. */
export const durationText: Form<string> = textLike(
  /^[1-9]\d{0,4}[hdw]$/,
  'is not a duration, such as 36h, 90d or 4w',
);

/** `2026-01-31`, which means the beginning of that day in UTC, or `2026-01-31T12:00:00Z`. */
export const instantText: Form<string> = textThat(
  (text) => /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(text) && isDay(text),
  'is not a time, such as 2026-01-31 (its beginning in UTC) or 2026-01-31T12:00:00Z',
);

/** The 31st of April would be taken for the first of May. */
function isDay(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text.replace(/Z$/, ''));
}

/** Milliseconds of what `durationText` took. */
export function toMilliseconds(duration: string): number {
  return Number(duration.slice(0, -1)) * (units[duration.slice(-1)] ?? 0);
}

/** How far clocks of honest machines are apart. */
const skew = 5 * 60_000;

export function isInFuture(time: Date, now: Date): boolean {
  return time.getTime() > now.getTime() + skew;
}
