import { formatJson } from '../base/text.ts';
import { formatPinnedRef } from '../oci/reference.ts';
import type { DatedRoot } from '../policy/dated-root.ts';
import type { Verdict } from '../policy/decide.ts';
import { ageInDays } from '../policy/root-age.ts';

/** Rises when a member changes its meaning or goes away; new members may appear at any time. */
export const verdictFormat = 'tcf.verdict/1';

/** The verdict as plain JSON. Keys keep their order, lists the order of policies, rules and candidates. */
export interface JsonVerdict {
  readonly format: typeof verdictFormat;
  /** `registry/repository@digest` */
  readonly image: string;
  readonly verdict: 'allow' | 'deny';
  readonly exit: 0 | 1 | 2;
  /** RFC 3339, UTC. */
  readonly decidedAt: string;
  readonly decisions: readonly JsonDecision[];
  readonly candidates: readonly JsonCandidate[];
}

export interface JsonDecision {
  readonly policy: { readonly name: string; readonly digest: string };
  readonly scope: string | null;
  readonly verdict: 'allow' | 'deny';
  readonly exit: 0 | 1 | 2;
  /** Empty where the policy asks for nothing that a trusted root proves. */
  readonly roots: readonly JsonRoot[];
  readonly findings: readonly JsonFinding[];
}

export interface JsonRoot {
  /** A Sigstore instance or a file. */
  readonly source: string;
  readonly digest: string;
  readonly origin: string;
  /** When it was known to be current; null for a file. */
  readonly asOf: string | null;
  /** The latest start of any entry. */
  readonly newest: string;
  /** Since `asOf`, or since `newest`. */
  readonly ageDays: number;
}

export interface JsonFinding {
  readonly rule: string;
  readonly mode: 'enforce' | 'warn';
  readonly outcome: 'cannot-tell' | 'fail' | 'pass';
  readonly message: string;
  readonly expected: string | null;
  readonly actual: string | null;
  readonly hint: string | null;
  readonly nearMisses: readonly {
    readonly source: string;
    readonly message: string;
    /** An entry for `signers` of the policy. */
    readonly suggestion: string | null;
  }[];
  /** What the policy excepts, where the rule did not pass. */
  readonly exception: {
    readonly owner: string;
    readonly reason: string;
    readonly expires: string;
    readonly expired: boolean;
  } | null;
}

export interface JsonCandidate {
  readonly source: string;
  readonly verified: boolean;
  readonly code: string | null;
  readonly message: string;
}

export function toJsonVerdict(verdict: Verdict): JsonVerdict {
  return {
    format: verdictFormat,
    image: formatPinnedRef(verdict.image),
    verdict: verdict.verdict,
    exit: verdict.exit,
    decidedAt: verdict.decidedAt.toISOString(),
    decisions: verdict.decisions.map((decision) => ({
      policy: { name: decision.policy.name, digest: decision.policy.digest },
      scope: decision.scope ?? null,
      verdict: decision.verdict,
      exit: decision.exit,
      roots: decision.roots.map((root) => toJsonRoot(root, verdict.decidedAt)),
      findings: decision.findings.map((finding) => ({
        rule: finding.rule,
        mode: finding.mode,
        outcome: finding.outcome,
        message: finding.message,
        expected: finding.expected ?? null,
        actual: finding.actual ?? null,
        hint: finding.hint ?? null,
        exception: finding.exception ?? null,
        nearMisses: (finding.nearMisses ?? []).map(({ message, source, suggestion }) => ({
          source,
          message,
          suggestion: suggestion ?? null,
        })),
      })),
    })),
    candidates: verdict.candidates.map(({ code, message, source, verified }) => ({
      source,
      verified,
      code: code ?? null,
      message,
    })),
  };
}

export function toJsonRoot(root: DatedRoot, now: Date): JsonRoot {
  return {
    source: root.source,
    digest: root.digest,
    origin: root.origin,
    asOf: root.asOf?.toISOString() ?? null,
    newest: root.newest.toISOString(),
    ageDays: ageInDays(root, now),
  };
}

/** With two blanks of indent and a line feed at the end. */
export function toJson(verdict: Verdict): string {
  return formatJson(toJsonVerdict(verdict), 2);
}
