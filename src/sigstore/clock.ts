import { cannotTell, type TcfError } from '../base/error.ts';

/** Milliseconds by which two honest clocks may differ: as much as Kerberos and most token services grant. */
export const clockTolerance: number = 5 * 60_000;

/**
 * Two clocks disagree; ours is the one that the person can set. `event` is what the other clock saw: `the
 * identity token was issued`.
 */
export function clockWrong(event: string, then: Date, now: Date): TcfError {
  return cannotTell('clock.wrong', `${event} at ${then.toISOString()}, and it is ${now.toISOString()} here`, {
    hint: 'set the clock of this machine, and try again',
  });
}
