import type { DatedRoot } from './dated-root.ts';
import type { Evidence } from './evidence.ts';
import { isInFuture } from './times.ts';

/**
 * The time that it is at least: that of the clock, or a later one that something else proves, so that a clock
 * that was set back brings no expired exception back and lets no signer sign again. Counted are the trusted
 * times of everything that verified, the last time that this machine recorded, and when the trusted roots
 * were known to be current.
 */
export function earliestNow(
  { candidates, now, recorded }: Pick<Evidence, 'candidates' | 'now' | 'recorded'>,
  roots: readonly DatedRoot[] = [],
): Date {
  const proven = [
    ...candidates.flatMap(({ outcome }) => (outcome.ok ? outcome.value.times : [])),
    ...(recorded === undefined ? [] : [recorded]),
    ...roots.flatMap(({ asOf }) => asOf ?? []),
  ];
  const latest = proven.reduce((late, time) => (time > late ? time : late), now);
  // Clocks of honest machines differ by a little.
  return isInFuture(latest, now) ? latest : now;
}
