import { formatDay, plural, printable } from '../base/text.ts';
import type { DatedRoot } from './dated-root.ts';
import type { Policy } from './document.ts';
import type { Finding, Mode } from './rule.ts';

const day = 24 * 3_600_000;

/**
 * Sigstore changes its root a few times a year: logs every half year, authorities when a key is lost. After
 * half a year a root most likely misses something, after a year it may trust what was revoked long ago.
 */
const defaultAge: Readonly<Record<'deny' | 'warn', number>> = { warn: 180 * day, deny: 365 * day };

/** Whether anything that a policy asks for is proven with a trusted root. */
export function usesRoots({ signers, trust }: Policy): boolean {
  return trust.logs.key > 0 || [...signers.values()].some(({ kind }) => kind === 'keyless');
}

/**
 * Whole days since the root was known to be current, never negative: a clock that was set back makes nothing
 * younger than now.
 */
export function ageInDays(root: DatedRoot, now: Date): number {
  return Math.max(0, Math.floor((Number(now) - Number(root.asOf ?? root.newest)) / day));
}

/**
 * What the age of a root does to a decision: a line that says it, then a warning, then no decision. A
 * file is the user's own, pinned on purpose; its age is judged, by its newest entry, only where the policy
 * sets limits itself.
 */
export function judgeRoot(root: DatedRoot, { trust }: Policy, now: Date): Finding & { readonly mode: Mode } {
  const age = Number(now) - Number(root.asOf ?? root.newest);
  const isJudged = root.asOf !== undefined || trust.maxAge !== undefined;
  const { deny, warn } = { ...defaultAge, ...trust.maxAge };
  const message = describe(root, now);
  if (!isJudged || age <= Math.min(warn, deny)) {
    return { rule: 'trust', mode: 'enforce', outcome: 'pass', message };
  }
  const isOver = age > deny;
  return {
    rule: 'trust',
    mode: isOver ? 'enforce' : 'warn',
    outcome: isOver ? 'cannot-tell' : 'fail',
    message,
    expected: `a root that is at most ${days(isOver ? deny : warn)} old`,
    actual: days(age),
    hint:
      root.asOf === undefined
        ? 'get the current trusted root of this instance'
        : `tcf trust update ${printable(root.source)}${root.isOfMachine === true ? ' --machine' : ''}`,
  };
}

function describe(root: DatedRoot, now: Date): string {
  const name = printable(root.source);
  const age = plural(ageInDays(root, now), 'day');
  const { asOf, origin, skipped = 0 } = root;
  const aged =
    asOf === undefined
      ? `the newest entry of the trusted root ${name} is ${age} old`
      : `the trusted root of ${name} is ${age} old (${origin}, ${formatDay(asOf)})`;
  return skipped === 0
    ? aged
    : `${aged}; ${plural(skipped, 'entry', 'entries')} not used (tcf trust show ${name})`;
}

function days(milliseconds: number): string {
  return plural(Math.floor(milliseconds / day), 'day');
}
