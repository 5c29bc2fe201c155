/** The names an expression may use. Plain JSON, and `Date` where CEL has a timestamp; `undefined` where the image has no such thing. */
export interface Variables {
  /** `registry`, `repository`, `digest`, and `platform`, the digest of the manifest where `digest` is that of an index. */
  readonly image: Readonly<Record<string, string>>;
  readonly now: Date;
  /** Signatures of the image by the signers of the rule. */
  readonly signatures: readonly unknown[];
  /** Attestations about the image by these signers: of each predicate type the newest. */
  readonly attestations: readonly unknown[];
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
export type Answer =
  | { readonly kind: 'false' | 'true' }
  | { readonly kind: 'cannot-tell'; readonly why: string };

export type Expression = (variables: Variables) => Answer;

/** @throws TcfError `policy.expression` (exit 3), whose message goes on after the place of the expression. */
export type Compile = (text: string) => Expression;
