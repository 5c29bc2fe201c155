import { compact } from '../base/compact.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageRef } from '../oci/reference.ts';
import { signersNamedIn } from './check.ts';
import { modeOf } from './decide.ts';
import type { Policy, Scope } from './document.ts';
import type { ExceptionShape } from './exception.ts';
import type { Mode } from './rule.ts';
import { rules } from './rules/index.ts';
import { isInScope, mostSpecific } from './scope.ts';
import type { TrustedSigner } from './signer.ts';

/** What one policy would ask of an image of this name, before anybody has looked for it. */
export interface Explained {
  readonly policy: { readonly name: string; readonly digest: Digest };
  /** The scope that decides; absent where none covers the name, which denies. */
  readonly scope?: Scope;
  /** Scopes that cover the name too and do not decide, because another one is more specific. */
  readonly outweighed: readonly string[];
  /** Every scope of the policy, for a name that is in none of them. */
  readonly scopes: readonly string[];
  readonly asked: readonly AskedRule[];
  /** Signers whom the rules name. */
  readonly signers: readonly TrustedSigner[];
  /** Exceptions about this digest or, where the name has none, about any image. */
  readonly exceptions: readonly ExceptionShape[];
}

export interface AskedRule {
  readonly rule: string;
  readonly summary: string;
  readonly mode: Mode;
  /** The parameters as the policy has them, without `mode`. */
  readonly params: unknown;
}

/**
 * Pure and without any evidence: which scope and which rules would decide about the name, policy by policy.
 */
export function explainName(policies: readonly Policy[], name: ImageRef): readonly Explained[] {
  return policies.map((policy) => explainOne(policy, name));
}

function explainOne(policy: Policy, name: ImageRef): Explained {
  const scope = mostSpecific(policy.scopes, name);
  const covering = policy.scopes.filter(({ match }) => isInScope(match, name)).map(({ match }) => match);
  const asked = scope === undefined ? [] : askedBy(scope);
  const named = signersNamedIn(scope?.require);
  return compact({
    policy: { name: policy.name, digest: policy.digest },
    scope,
    outweighed: covering.filter((match) => match !== scope?.match),
    scopes: policy.scopes.map(({ match }) => match),
    asked,
    signers: [...policy.signers.values()].filter(({ name: signer }) => named.includes(signer)),
    exceptions: policy.exceptions.filter(
      ({ digest }) => scope !== undefined && (name.digest === undefined || name.digest === digest),
    ),
  });
}

function askedBy({ require }: Scope): readonly AskedRule[] {
  return rules.flatMap(({ name, summary }) => {
    const params = require[name];
    if (params === undefined) {
      return [];
    }
    const { mode: _, ...rest } = params as Readonly<Record<string, unknown>>;
    return [{ rule: name, summary, mode: modeOf(params), params: rest }];
  });
}
