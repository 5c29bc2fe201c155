import { z } from 'zod';
import type { Digest } from '../oci/digest.ts';
import type { Evidence } from './evidence.ts';
import type { TrustedSigner } from './signer.ts';

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
}

export type MultiArch = 'either' | 'index' | 'platform';

/**
 * One check. `params` reads what the policy says under `require.<name>`; `evaluate` gets nothing else than what it read, so the
 * list of rules may forget which parameters belong to which rule.
 */
export interface Rule<Params = unknown> {
  /** The key in the policy, the rule id in reports, the folder of its fixtures. */
  readonly name: string;
  /** What the rule asks for, as one sentence. */
  readonly summary: string;
  readonly params: z.ZodType<Params>;
  evaluate(params: Params, evidence: Evidence, context: RuleContext): Finding;
}

/** Every rule may be tried out before it is enforced: it is evaluated and reported all the same. */
export type Mode = 'enforce' | 'warn';

export interface CommonParams {
  readonly mode?: Mode | undefined;
}

export const mode: z.ZodOptional<z.ZodEnum<{ enforce: 'enforce'; warn: 'warn' }>> = z
  .enum(['enforce', 'warn'])
  .optional()
  .describe('warn reports without denying; the default is enforce');

/** Names of signers, any of which will do. An empty list would ask nobody and is refused. */
export const signerNames: z.ZodType<readonly string[]> = z
  .array(z.string().min(1))
  .min(1)
  .describe('names from signers; one of them must have signed');
