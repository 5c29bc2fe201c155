/**
 * The names an expression may use. Plain JSON, and `Date` where CEL has a timestamp; `undefined` where the
 * image has no such thing.
 */
export interface Variables {
  /**
   * `registry`, `repository`, `digest`, and `platform`, the digest of the manifest where `digest` is that of
   * an index.
   */
  readonly image: Readonly<Record<string, string>>;
  readonly now: Date;
  /** Signatures of the image by the signers of the rule. */
  readonly signatures: readonly unknown[] | undefined;
  /**
   * Attestations about the image by these signers: of each predicate type the newest. Each has its `type`.
   */
  readonly attestations: readonly unknown[] | undefined;
  /** What the SBOM in force says, as `SbomFacts`. */
  readonly sbom: unknown;
}

export const variableNames: readonly (keyof Variables)[] = [
  'attestations',
  'image',
  'now',
  'sbom',
  'signatures',
];

/** `cannot-tell`: an error, another value than true or false, or more work than an expression may be. */
export type ExpressionResult =
  | { readonly kind: 'false' }
  /** `absentTypes`: predicate types that it asked for and that no attestation has. */
  | { readonly kind: 'true'; readonly absentTypes: readonly AbsentType[] }
  | { readonly kind: 'cannot-tell'; readonly why: string };

export interface AbsentType {
  /** The text that a type was compared with: a whole type, a part of one, or a regular expression. */
  readonly wanted: string;
  readonly isPattern: boolean;
}

export type Expression = (variables: Variables) => ExpressionResult;

/** @throws TcfError `policy.expression` (exit 3), whose message goes on after the place of the expression. */
export type Compile = (text: string) => Expression;
