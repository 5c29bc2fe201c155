import type { Severity, SeverityLevel } from './advisory.ts';
import type { MissingUpdate } from './archive.ts';
import type { DatabaseFacts } from './data.ts';
import type { VulnVerdict } from './evaluate.ts';

/** What one source says of one component. */
export interface SourceAnswer {
  /** `GHSA`, `PYSEC`, `Debian:12`, `NVIDIA`. */
  readonly source: string;
  readonly id: string;
  readonly verdict: VulnVerdict;
  readonly why: string;
  readonly fixedIn?: string;
  /** RFC 3339, when the source published it. */
  readonly published?: string;
  readonly severity: Severity;
  readonly urgency?: string;
}

/** Why something is not affected, in the words of OpenVEX and CISA. */
export type Justification =
  | 'component_not_present'
  | 'inline_mitigations_already_exist'
  | 'vulnerable_code_cannot_be_controlled_by_adversary'
  | 'vulnerable_code_not_in_execute_path'
  | 'vulnerable_code_not_present';

/** A component of the SBOM that a finding is about. */
export interface FoundComponent {
  readonly bomRef?: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly location?: string;
  readonly context?: string;
  /** Came with the base image, or was added; absent: not known. */
  readonly origin?: 'added' | 'base';
  /** Name and version of the outermost component in which it lies: `triton 3.6.0`. */
  readonly inside?: string;
  readonly insidePurl?: string;
}

/** One vulnerability of one package: all names that it has, and everything that was said of it. */
export interface VulnFinding {
  readonly id: string;
  /** Other names, `id` not among them. */
  readonly aliases: readonly string[];
  readonly upstream: readonly string[];
  readonly ecosystem: string;
  /** By which it was looked for: the source package of a distribution. */
  readonly package: string;
  readonly version?: string;
  readonly components: readonly FoundComponent[];
  readonly verdict: VulnVerdict;
  readonly why: string;
  readonly justification?: Justification;
  readonly answers: readonly SourceAnswer[];
  /** Whether sources differ. */
  readonly differs: boolean;
  readonly severity: Severity;
  readonly urgency?: string;
  readonly fixedIn?: string;
  /** RFC 3339: since when the fix is known, as the advisory that names it was published. */
  readonly fixedSince?: string;
  readonly summary?: string;
  readonly disputed?: true;
  readonly informational?: string;
  /** A VEX statement that changed the verdict. */
  readonly vex?: { readonly author: string; readonly source: string; readonly statement: string };
}

/** A component of which nobody can tell anything. */
export interface Unjudged {
  readonly bomRef?: string;
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly why: string;
}

export interface VulnScan {
  readonly database: DatabaseFacts;
  /** Verdicts of every kind, in the order of severity, package and id. */
  readonly findings: readonly VulnFinding[];
  readonly updates: readonly MissingUpdate[];
  readonly unjudged: readonly Unjudged[];
  /** Components that some source has answered for. */
  readonly judged: number;
  /** Components inside packages of a distribution, for which that answers. */
  readonly answeredByOwner: number;
}

/** From the worst; what nobody has rated stands before what is known to be low. */
export const levelsBySeverity: readonly SeverityLevel[] = [
  'critical',
  'high',
  'medium',
  'unknown',
  'low',
  'none',
];

/** What counts: not disputed, not merely informational. */
export function counts({ disputed, informational }: VulnFinding): boolean {
  return disputed !== true && informational === undefined;
}

/** Affected, of what counts. */
export function affectedOf({ findings }: Pick<VulnScan, 'findings'>): readonly VulnFinding[] {
  return findings.filter((finding) => finding.verdict === 'affected' && counts(finding));
}

/** Everything about which nobody can tell: what counts of findings, components, records of the database. */
export function doubtsOf(scan: VulnScan): {
  readonly findings: number;
  readonly unjudged: number;
  readonly unread: number;
} {
  return {
    findings: scan.findings.filter((finding) => finding.verdict === 'cannot-tell' && counts(finding)).length,
    unjudged: scan.unjudged.length,
    unread: scan.database.sources.reduce((sum, { unread }) => sum + unread, 0),
  };
}
