import type { Digest } from '../oci/digest.ts';
import type { Evidence } from './evidence.ts';
import type { Expression } from './expression.ts';
import { choice, described, type Form, list, type OptionalForm, optional, text, whole } from './form.ts';
import type { TrustedSigner } from './signer.ts';
import { durationText, instantText } from './times.ts';

/** What one rule said. `cannot-tell` is never a yes: an enforced rule that cannot tell denies. */
export interface Finding {
  readonly rule: string;
  readonly outcome: 'cannot-tell' | 'fail' | 'pass';
  /** One sentence; strangers' text in it is escaped. */
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
  /** What would satisfy the rule. */
  readonly hint?: string;
  /** What came close, and why it does not count. */
  readonly nearMisses?: readonly NearMiss[];
}

export interface NearMiss {
  /** The manifest, layer or file the candidate came from. */
  readonly source: Digest;
  readonly message: string;
  /**
   * What would make it count, as an entry for `signers` of the policy; only for whoever trusts that signer.
   */
  readonly suggestion?: string;
}

/** What a rule knows of the policy beside its own parameters. */
export interface RuleContext {
  readonly signers: ReadonlyMap<string, TrustedSigner>;
  /** Which digest a signature must cover where the image was asked for as an index. */
  readonly multiArch: MultiArch;
  /** Distinct transparency logs that must have seen a signature. */
  readonly logs: { readonly keyless: number; readonly key: number };
  /** Parameters of all rules of the scope by rule name. */
  readonly require: Readonly<Record<string, unknown>>;
  /** The compiled expressions of the policy by their text. */
  readonly expressions: ReadonlyMap<string, Expression>;
}

export type MultiArch = 'either' | 'index' | 'platform';

/**
 * One check. `params` reads what the policy says under `require.<name>`; `evaluate` gets nothing else than
 * what it read, so the list of rules may forget which parameters belong to which rule.
 */
export interface Rule<Params = unknown> {
  /** The key in the policy, the rule id in reports, the folder of its fixtures. */
  readonly name: string;
  /** What the rule asks for, as one sentence. */
  readonly summary: string;
  readonly params: Form<Params>;
  /**
   * The rule stands once at the top of the policy and holds in every scope. It is always enforced, and no
   * exception lifts it. Absent: it stands under `require` of the scopes that want it.
   */
  readonly everywhere?: true;
  /** The rule looks into what another rule of the same scope accepts, and is nothing without it. */
  reads?(params: Params): 'provenance' | 'sbom' | undefined;
  evaluate(params: Params, evidence: Evidence, context: RuleContext): Finding;
}

/** Every rule may be tried out before it is enforced: it is evaluated and reported all the same. */
export type Mode = 'enforce' | 'warn';

export interface CommonParams {
  readonly mode?: Mode | undefined;
}

export const mode: OptionalForm<Mode> = optional(
  choice('enforce', 'warn'),
  'warn reports without denying; the default is enforce',
);

/** Whose statements a rule takes, and from when. */
export interface SigningTerms {
  /** Names of signers. */
  readonly by: readonly string[];
  /** How many distinct identities or keys among them must have signed; 1 where absent. */
  readonly threshold?: number | undefined;
  /** What is counted for it; `signers` where absent. */
  readonly distinct?: 'owners' | 'signers' | undefined;
  /** How long ago the signature may have been made, by trusted time. */
  readonly maxAge?: string | undefined;
  /** Before when no signature counts, by trusted time. */
  readonly notBefore?: string | undefined;
}

/** Names of signers, any of which will do. An empty list would ask nobody and is refused. */
export const signerNames: Form<readonly string[]> = list(text);

/** The members of `SigningTerms`, for the parameters of each rule that asks for signatures. */
export const signingTerms: {
  readonly by: Form<readonly string[]>;
  readonly threshold: OptionalForm<number>;
  readonly distinct: OptionalForm<'owners' | 'signers'>;
  readonly maxAge: OptionalForm<string>;
  readonly notBefore: OptionalForm<string>;
} = {
  by: described(signerNames, 'names from signers; one of them must have signed'),
  threshold: optional(
    whole(1, 16),
    'how many distinct identities or keys of these must have signed; the default is 1',
  ),
  distinct: optional(
    choice('signers', 'owners'),
    'what the threshold counts: signers (the default), or owners of the repositories that they sign for',
  ),
  maxAge: optional(
    durationText,
    'how old a signature may be by trusted time: 36h, 90d, 4w; without a trusted time it does not count',
  ),
  notBefore: optional(
    instantText,
    'signatures from before this time do not count, nor those without a trusted time',
  ),
};
