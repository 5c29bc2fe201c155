import type { Branded } from '../base/brand.ts';
import { printable } from '../base/text.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPinnedRef, type PinnedRef } from '../oci/reference.ts';
import { earliestNow } from './clock.ts';
import type { DatedRoot } from './dated-root.ts';
import type { Policy, Scope } from './document.ts';
import type { Candidate, Evidence, ImageFacts } from './evidence.ts';
import { exceptionFor, type UsedException } from './exception.ts';
import { judgeRoot, usesRoots } from './root-age.ts';
import type { Finding, Mode, RuleContext } from './rule.ts';
import { rules } from './rules/index.ts';
import { mostSpecific } from './scope.ts';
import { describePolicySigner } from './signer.ts';

/** What one policy says of one image, with everything that led there. */
export interface Decision {
  readonly verdict: 'allow' | 'deny';
  /** 0 yes; 1 some enforced rule looked and says no; 2 no such no, but some rule could not tell. */
  readonly exit: 0 | 1 | 2;
  readonly policy: { readonly name: string; readonly digest: Digest };
  /** The scope that decided; absent where none covers the image, which denies. */
  readonly scope?: string;
  /** The trusted roots that proved the candidates; none where the policy asks for nothing that needs one. */
  readonly roots: readonly DatedRoot[];
  /** About the roots, then in the order of the rules. */
  readonly findings: readonly JudgedFinding[];
}

export interface JudgedFinding extends Finding {
  readonly mode: Mode;
  /**
   * The exception about this image and rule, where the rule did not pass; one that has not expired has turned
   * `mode` to warn.
   */
  readonly exception?: UsedException;
}

/** What all policies say together. */
export type Verdict = VerdictParts &
  (
    | { readonly verdict: 'allow'; readonly exit: 0; readonly allow: Allow }
    | { readonly verdict: 'deny'; readonly exit: 1 | 2 }
  );

interface VerdictParts {
  readonly image: PinnedRef;
  readonly decidedAt: Date;
  readonly decisions: readonly Decision[];
  /**
   * Every candidate, good or bad, as it was found; twice where two policies with different trust see it
   * differently.
   */
  readonly candidates: readonly ExplainedCandidate[];
}

export interface ExplainedCandidate {
  readonly source: Digest;
  readonly verified: boolean;
  /** Of the refusal: `signature.invalid`. */
  readonly code?: string;
  /** One sentence, safe to print. */
  readonly message: string;
  /** What was proven; absent for a refusal. */
  readonly signed?: SignedFacts;
}

/** Who signed what, and when. */
export interface SignedFacts {
  readonly predicateType: string;
  /** Safe to print. */
  readonly signer: string;
  /** Of a certificate, as it stands there. */
  readonly identity?: string;
  /** Trusted times at which the signature existed, earliest first. */
  readonly times: readonly Date[];
  /** Distinct transparency logs that have seen it. */
  readonly logs: number;
}

interface AllowParts {
  /** The image that may start, and no other. */
  readonly image: PinnedRef;
  readonly decisions: readonly Decision[];
}

/** Leave to start one image. Minted by `decideAll` only, when every policy said yes. */
export type Allow = Branded<AllowParts, 'Allow'>;

/** One policy about one image. An image in no scope is denied. */
export function decide(policy: Policy, evidence: Evidence, known: readonly DatedRoot[] = []): Decision {
  const scope = mostSpecific(policy.scopes, evidence.image);
  const roots = usesRoots(policy) ? known : [];
  const now = earliestNow(evidence, roots);
  const findings =
    scope === undefined
      ? [outOfScope(policy, evidence)]
      : [
          ...roots.map((root) => judgeRoot(root, policy, evidence.now)),
          ...evaluate(policy, scope, evidence, now),
        ];
  const enforced = findings.filter(({ mode }) => mode === 'enforce');
  // Where no rule has spoken nothing is allowed.
  const allowed = findings.length > roots.length && enforced.every(({ outcome }) => outcome === 'pass');
  const denied = findings.length <= roots.length || enforced.some(({ outcome }) => outcome === 'fail');
  const no = denied ? 1 : 2;
  return {
    verdict: allowed ? 'allow' : 'deny',
    exit: allowed ? 0 : no,
    policy: { name: policy.name, digest: policy.digest },
    ...(scope === undefined ? {} : { scope: scope.match }),
    roots,
    findings,
  };
}

/**
 * All policies about one image: each has to say yes, so that a policy of the project can tighten what stands
 * above it and never loosen it. Each judges the candidates as proven with its own trust,
 * `candidatesOf`: a trusted root that the project brings along proves nothing to the policies above it.
 * Without any policy the answer is no.
 */
export function decideAll(
  policies: readonly Policy[],
  facts: ImageFacts,
  candidatesOf: (policy: Policy) => readonly Candidate[],
  rootsOf: (policy: Policy) => readonly DatedRoot[] = () => [],
): Verdict {
  const judged = policies.map((policy) => {
    const evidence: Evidence = { ...facts, candidates: candidatesOf(policy) };
    return {
      decision: decide(policy, evidence, rootsOf(policy)),
      explained: evidence.candidates.map(explain),
    };
  });
  const { image } = facts;
  const decisions = judged.map(({ decision }) => decision);
  const candidates = distinct(judged.flatMap(({ explained }) => explained));
  const parts = { image, decidedAt: facts.now, decisions, candidates };
  if (decisions.length > 0 && decisions.every(({ verdict }) => verdict === 'allow')) {
    const granted: AllowParts = { image, decisions };
    return { ...parts, verdict: 'allow', exit: 0, allow: granted as Allow };
  }
  const denied = decisions.length === 0 || decisions.some(({ exit }) => exit === 1);
  return { ...parts, verdict: 'deny', exit: denied ? 1 : 2 };
}

/** Two policies with the same trust find the same of every candidate: said once. */
function distinct(candidates: readonly ExplainedCandidate[]): readonly ExplainedCandidate[] {
  return [
    ...new Map(candidates.map((one) => [`${one.source} ${one.verified} ${one.message}`, one])).values(),
  ];
}

/** What the rules of a scope know of its policy. */
export function contextOf(policy: Policy, scope: Scope): RuleContext {
  return {
    signers: policy.signers,
    multiArch: scope.multiArch,
    logs: policy.trust.logs,
    require: scope.require,
    expressions: policy.expressions,
  };
}

function evaluate(policy: Policy, scope: Scope, evidence: Evidence, now: Date): readonly JudgedFinding[] {
  const context = contextOf(policy, scope);
  return rules.flatMap((rule) => {
    const params = scope.require[rule.name];
    if (params === undefined) {
      return [];
    }
    const finding = { ...rule.evaluate(params, evidence, context), mode: modeOf(params, now) };
    return [rule.everywhere || finding.outcome === 'pass' ? finding : except(finding, policy, evidence, now)];
  });
}

function except(
  finding: JudgedFinding,
  { exceptions }: Policy,
  evidence: Evidence,
  now: Date,
): JudgedFinding {
  const exception = exceptionFor(exceptions, finding.rule, evidence, now);
  if (exception === undefined) {
    return finding;
  }
  if (!exception.expired) {
    return { ...finding, exception, mode: 'warn' };
  }
  if (new Date(exception.expires) <= evidence.now) {
    return { ...finding, exception };
  }
  const shown = now.toISOString();
  return {
    ...finding,
    exception,
    message: `${finding.message}; its exception has ended, for the clock is behind ${shown}, a time that is signed or recorded`,
    hint: 'set the clock; where it was ahead before, tcf log archive begins a new log of decisions',
  };
}

/**
 * Whether a scope asks for anything: one that only warns lets everything start, but for what a deny
 * list names.
 */
export function enforces({ require }: Scope): boolean {
  return Object.entries(require).some(
    ([rule, params]) => rule !== 'deny' && params !== undefined && modeOf(params) === 'enforce',
  );
}

/**
 * Anything but a plain `warn`, or a `warnUntil` that lies ahead, enforces. Without `now` what will be asked
 * in the end.
 */
export function modeOf(params: unknown, now?: Date): Mode {
  if (typeof params !== 'object' || params === null) {
    return 'enforce';
  }
  const isWarning = 'mode' in params && params.mode === 'warn';
  const until =
    'warnUntil' in params && typeof params.warnUntil === 'string' ? Date.parse(params.warnUntil) : undefined;
  return isWarning || (now !== undefined && until !== undefined && Number(now) < until) ? 'warn' : 'enforce';
}

function outOfScope(policy: Policy, { image }: Evidence): JudgedFinding {
  return {
    rule: 'scope',
    mode: 'enforce',
    outcome: 'fail',
    message: 'no scope of the policy covers the image',
    expected: policy.scopes.map(({ match }) => match).join(', '),
    actual: formatPinnedRef(image),
    hint: 'images are denied unless a scope covers them; add one, or use an image from a scope',
  };
}

function explain({ outcome, source }: Candidate): ExplainedCandidate {
  if (!outcome.ok) {
    return { source, verified: false, code: outcome.reason.code, message: printable(outcome.reason.message) };
  }
  const { logs, signer, statement, times } = outcome.value;
  const since = times[0] === undefined ? '' : `, since ${times[0].toISOString()}`;
  return {
    source,
    verified: true,
    message: `${printable(statement.predicateType)} by ${describePolicySigner(signer)}${since}`,
    signed: {
      predicateType: printable(statement.predicateType),
      signer: describePolicySigner(signer),
      ...(signer.kind === 'keyless' ? { identity: signer.identity } : {}),
      times,
      logs: new Set(logs.map(({ logId }) => logId)).size,
    },
  };
}
