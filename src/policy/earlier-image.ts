import type { AttestedScan } from '../vulns/attested-scan.ts';
import { contextOf, type Verdict } from './decide.ts';
import type { Policy } from './document.ts';
import type { Evidence } from './evidence.ts';
import type { SigningTerms } from './rule.ts';
import { scansInForce } from './scans.ts';
import { mostSpecific } from './scope.ts';

/** The scans in force by every policy that asks for one, those aside that cannot be read. */
export function acceptedScans(judged: ReadonlyMap<Policy, Evidence>): readonly AttestedScan[] {
  return [...judged].flatMap(([policy, evidence]) => {
    const scope = mostSpecific(policy.scopes, evidence.image);
    const terms = scope === undefined ? undefined : scanTerms(scope.require['vulnerabilities']);
    return scope === undefined || terms === undefined
      ? []
      : scansInForce(terms, evidence, contextOf(policy, scope)).current.flatMap((one) =>
          'scan' in one ? [one.scan] : [],
        );
  });
}

/** Parameters of a rule are known to the rule alone; these were read by it. */
function scanTerms(params: unknown): SigningTerms | undefined {
  return (params as { readonly scan?: SigningTerms } | undefined)?.scan;
}

/** Whether one of these policies lets only what is new deny. */
export function asksForBaseline(policies: readonly Policy[]): boolean {
  return policies.some(({ scopes }) =>
    scopes.some(
      ({ require }) =>
        (require['vulnerabilities'] as { readonly baseline?: string } | undefined)?.baseline !== undefined,
    ),
  );
}

/** Rules about what is in an image. All others are about who says so. */
const aboutContent: ReadonlySet<string> = new Set([
  'components',
  'kernels',
  'licenses',
  'llvm',
  'vulnerabilities',
]);

/**
 * Whether what is said of an image is proven, although what is in it may be denied: an image that somebody
 * has found vulnerable is what a baseline is for.
 */
export function isAttestationProven({ decisions }: Verdict): boolean {
  return (
    decisions.length > 0 &&
    decisions.every(({ findings, scope }) =>
      scope === undefined
        ? false
        : findings.every(
            ({ mode, outcome, rule }) => outcome === 'pass' || mode === 'warn' || aboutContent.has(rule),
          ),
    )
  );
}
