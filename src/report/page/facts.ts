import type { BomContents } from '../../bom/contents.ts';
import type { BomDiff } from '../../bom/diff.ts';
import type { Verdict } from '../../policy/decide.ts';
import type { VulnScan } from '../../vulns/scan.ts';
import type { DatabaseStatus } from '../database.ts';

/** Everything that a page about an image says. */
export interface PageFacts {
  /** How the user calls the image. */
  readonly name: string;
  /** Of tcf. */
  readonly version: string;
  readonly contents: BomContents;
  readonly layers: readonly PageLayer[];
  /** Digest of the manifest, where the source has one. */
  readonly digest?: string;
  readonly evidence: EvidenceFacts;
  readonly baseline?: BaselineFacts;
  readonly vulnerabilities: VulnerabilityFacts;
}

export interface PageLayer {
  readonly index: number;
  readonly diffId: string;
  readonly step?: string;
  /** Without compression; absent where only an SBOM was read. */
  readonly bytes?: number;
}

/** What was proven about the image, or why nothing was asked. */
export type EvidenceFacts =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'none'; readonly why: string; readonly hint?: string };

export interface BaselineFacts {
  readonly name: string;
  readonly diff: BomDiff;
}

/** What is known of vulnerabilities, or why nothing is. "Nothing found" is said with what was asked. */
export type VulnerabilityFacts =
  | { readonly kind: 'none'; readonly why: string; readonly hint?: string }
  | { readonly kind: 'looked'; readonly database: DatabaseStatus; readonly scan: VulnScan };
