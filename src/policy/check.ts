import { quoted } from '../base/text.ts';
import { constantExpressions, judgeBareImages } from './bare-image.ts';
import { enforces } from './decide.ts';
import type { Policy, Scope } from './document.ts';

/** Something about a policy that reads well and works badly. `error`: it does not do what a policy is for. */
export interface Remark {
  readonly level: 'error' | 'warning';
  readonly message: string;
}

/**
 * What is to be said of a policy that has been read: a scope whose rules all warn starts every image, an exception or a signer
 * whose time is over helps nobody, and a signer whom no rule names is a line that somebody will take for protection.
 */
export function checkPolicy(policy: Policy, now: Date): readonly Remark[] {
  const { exceptions, scopes, signers } = policy;
  const over = [...signers.values()].filter(
    ({ validFor }) => validFor?.end !== undefined && validFor.end < now,
  );
  const named = new Set(scopes.flatMap(({ require }) => signersNamedIn(require)));
  return [
    ...scopes.flatMap((scope) => checkScope(policy, scope, now)),
    ...exceptions
      .filter(({ expires }) => new Date(expires) <= now)
      .map(({ digest, expires, owner }) =>
        warning(`the exception of ${owner} for ${digest} ended ${expires}`),
      ),
    ...over.map(({ name }) => warning(`what ${name} signs today no longer counts`)),
    ...[...signers.keys()]
      .filter((name) => !named.has(name))
      .map((name) => warning(`no rule names the signer ${name}`)),
  ];
}

/** Scopes that allow every image in them, even those to which nothing is attached. */
export function idleScopes(policy: Policy, now: Date): readonly Scope[] {
  return policy.scopes.filter(
    (scope) => !enforces(scope) || judgeBareImages(policy, scope, now) === 'all-allowed',
  );
}

/** What a scope allows without any evidence. */
function checkScope(policy: Policy, scope: Scope, now: Date): readonly Remark[] {
  const { match } = scope;
  if (!enforces(scope)) return [error(`${match}: every rule only warns, so every image is allowed`)];
  const constant = constantExpressions(policy, scope, now).map((cel) =>
    error(`${match}: the expression ${quoted(cel)} is true of every image`),
  );
  const verdict = judgeBareImages(policy, scope, now);
  if (verdict === 'none-allowed') return constant;
  return [
    ...constant,
    verdict === 'all-allowed'
      ? error(`${match}: nothing in it can deny, so every image is allowed`)
      : warning(
          `${match}: images to which nothing is attached may be allowed by their name or the time alone`,
        ),
  ];
}

/** Every name that stands under a `by`, however deep. */
export function signersNamedIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own =
    'by' in value && Array.isArray(value.by) ? value.by.filter((name) => typeof name === 'string') : [];
  return [...own, ...Object.values(value).flatMap(signersNamedIn)];
}

function error(message: string): Remark {
  return { level: 'error', message };
}

function warning(message: string): Remark {
  return { level: 'warning', message };
}
