import type { Diagnostic } from '../../base/diagnostic.ts';
import type { Outcome } from '../../base/outcome.ts';
import type { Policy } from '../document.ts';

/** A policy in the words of another engine. */
export interface Exported {
  /** Relative paths; one file for most targets. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** Where the target asks for more than tcf does, or has to be set up; one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Something the target cannot say, at its place in the policy (`scopes[0].require.llvm`). Left out it would
 * let images through, so nothing is exported.
 */
export function unsupported(subject: string, message: string): Diagnostic {
  return { level: 'error', code: 'policy.export-unsupported', subject, message };
}

export interface ExportTarget {
  /** As it is named behind `--to`. */
  readonly name: string;
  readonly summary: string;
  /**
   * The policy as files, or everything that stands against it. What comes out never allows more than the
   * policy does.
   */
  toFiles(policy: Policy): Outcome<Exported, readonly Diagnostic[]>;
}
