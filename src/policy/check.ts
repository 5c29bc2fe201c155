import type { Diagnostic } from '../base/diagnostic.ts';
import { quoted } from '../base/text.ts';
import { constantExpressions, judgeBareImages } from './bare-image.ts';
import { deadEntries } from './dead-entries.ts';
import { enforces } from './decide.ts';
import type { Policy, Scope } from './document.ts';

/**
 * What a policy does not do although it reads as if it did: a scope that cannot deny starts every image
 * an exception or a signer whose time is over helps nobody, and a signer whom no rule names looks
 * like protection. `error`: it does not do what a policy is for.
 */
export function checkPolicy(policy: Policy, now: Date): readonly Diagnostic[] {
  const { exceptions, scopes, signers } = policy;
  const over = [...signers.values()].filter(
    ({ validFor }) => validFor?.end !== undefined && validFor.end < now,
  );
  const named = new Set([
    ...scopes.flatMap(({ require }) => signersNamedIn(require)),
    ...policy.layerCache,
    ...policy.trust.pins,
  ]);
  return [
    ...scopes.flatMap((scope) => checkScope(policy, scope, now)),
    ...deadEntries(policy),
    ...idleExceptions(policy),
    ...exceptions
      .filter(({ expires }) => new Date(expires) <= now)
      .map(({ digest, expires, owner }) =>
        warning('policy.exception-over', `the exception of ${owner} for ${digest} ended ${expires}`),
      ),
    ...over.map(({ name }) => warning('policy.signer-over', `what ${name} signs today no longer counts`)),
    ...[...signers.keys()]
      .filter((name) => !named.has(name))
      .map((name) => warning('policy.signer-unused', `no rule names the signer ${name}`)),
  ];
}

/** Scopes that allow every image in them, even those to which nothing is attached. */
export function idleScopes(policy: Policy, now: Date): readonly Scope[] {
  return policy.scopes.filter((scope) => judgeBareImages(policy, scope, now) === 'all-allowed');
}

/** What a scope allows without any evidence. */
function checkScope(policy: Policy, scope: Scope, now: Date): readonly Diagnostic[] {
  const subject = scope.match;
  const idle = (why: string): Diagnostic => ({
    level: 'error',
    code: 'policy.idle-scope',
    subject,
    message: `${why}, so every image is allowed`,
    hint: 'require signed, sbom or another rule, with mode: enforce',
  });
  if (!enforces(scope)) {
    return [idle('every rule only warns')];
  }
  const constant = constantExpressions(policy, scope, now).map(
    (cel): Diagnostic => ({
      level: 'error',
      code: 'policy.constant-expression',
      subject,
      message: `the expression ${quoted(cel)} is true of every image`,
      hint: 'let it ask signatures, attestations or sbom, or remove it',
    }),
  );
  switch (judgeBareImages(policy, scope, now)) {
    case 'none-allowed':
      return constant;
    case 'all-allowed':
      return [...constant, idle('nothing in it can deny')];
    case 'some-allowed':
      return [...constant, { level: 'warning', code: 'policy.bare-image', subject, message: bareImage }];
  }
}

const bareImage = 'an image to which nothing is attached may be allowed by its name or the time alone';

/** Exceptions from rules that no scope asks for. */
function idleExceptions({ exceptions, scopes }: Policy): readonly Diagnostic[] {
  return exceptions.flatMap(({ digest, owner, rules }) => {
    const idle = rules.filter((rule) => scopes.every(({ require }) => require[rule] === undefined));
    if (idle.length === 0) {
      return [];
    }
    return [
      warning(
        'policy.exception-idle',
        `the exception of ${owner} for ${digest} lifts ${idle.join(', ')}, which no scope asks for`,
      ),
    ];
  });
}

/** Every name that stands under a `by`, however deep. */
export function signersNamedIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const own =
    'by' in value && Array.isArray(value.by) ? value.by.filter((name) => typeof name === 'string') : [];
  return [...own, ...Object.values(value).flatMap(signersNamedIn)];
}

function warning(code: string, message: string): Diagnostic {
  return { level: 'warning', code, message };
}
