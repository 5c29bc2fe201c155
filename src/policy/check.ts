import { enforces } from './decide.ts';
import type { Policy } from './document.ts';

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
    ...scopes
      .filter((scope) => !enforces(scope))
      .map(({ match }) => error(`${match}: every rule only warns, so every image is allowed`)),
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
