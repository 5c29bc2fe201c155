/**
 * What one source says of one vulnerability, in the words of the OSV schema 1.7: plain data, read from
 * whatever form the source has.
 */
export interface Advisory {
  /** `GHSA-...`, `PYSEC-...`, `DSA-...`. */
  readonly id: string;
  /** The same vulnerability under other names. */
  readonly aliases: readonly string[];
  /** What this advisory follows from; not the same vulnerability (OSV, `upstream`). */
  readonly upstream: readonly string[];
  /** RFC 3339. */
  readonly published?: string;
  readonly modified?: string;
  readonly summary?: string;
  readonly severity: Severity;
  /** `unmaintained`, `unsound`, `notice` of RustSec: worth knowing, and not a vulnerability. */
  readonly informational?: string;
  /** The project says that it is not a vulnerability. */
  readonly disputed?: true;
}

/** `unknown` is not `low`: nobody has said how bad it is. `none`: somebody says that it has no effect. */
export type SeverityLevel = 'critical' | 'high' | 'low' | 'medium' | 'none' | 'unknown';

/** CVSS, "Qualitative Severity Rating Scale" of versions 3 and 4. */
export function levelOfScore(score: number | undefined): SeverityLevel {
  if (score === undefined) {
    return 'unknown';
  }
  if (score >= 9) {
    return 'critical';
  }
  if (score >= 7) {
    return 'high';
  }
  if (score >= 4) {
    return 'medium';
  }
  return score > 0 ? 'low' : 'none';
}

export interface Severity {
  readonly level: SeverityLevel;
  /** 0.0 to 10.0. */
  readonly score?: number;
  /** The CVSS vector or the word that says so. */
  readonly from?: string;
}

/** The part of an advisory about one package: OSV, `affected[]`. */
export interface AffectedPackage {
  /** `PyPI`, `Debian:12`. */
  readonly ecosystem: string;
  readonly name: string;
  readonly ranges: readonly AffectedRange[];
  readonly versions: readonly string[];
  /** `versions` are in the order of the ecosystem, and all of them are versions of it. */
  readonly sorted?: true;
  /** Where the advisory has one for this package alone. */
  readonly severity?: Severity;
  /** The distribution's own word: `low`, `not yet assigned`. */
  readonly urgency?: string;
  /** Operating systems on which alone it is one, in lower case; absent: on all (RustSec, `affected.os`). */
  readonly systems?: readonly string[];
}

export interface AffectedRange {
  /** `unreadable`: it says something that tcf cannot read, so nobody may conclude from it. */
  readonly type: 'ECOSYSTEM' | 'GIT' | 'SEMVER' | 'unreadable';
  readonly events: readonly RangeEvent[];
}

export interface RangeEvent {
  readonly kind: 'fixed' | 'introduced' | 'last_affected' | 'limit';
  readonly version: string;
}

/** An advisory with the packages that it is about, as it is read from a file. */
export interface AdvisoryRecord extends Advisory {
  readonly affected: readonly AffectedPackage[];
  readonly withdrawn?: string;
}
