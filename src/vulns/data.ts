import type { Advisory, AffectedPackage } from './advisory.ts';
import type { OfferedPackage } from './archive.ts';
import type { LlvmFact } from './llvm.ts';
import type { CudaReleases, NvidiaFact } from './nvidia.ts';

/** One source of a database, and how old what it says is. */
export interface DataSource {
  /** `OSV PyPI`, `RustSec`, `NVIDIA`, `Debian-Security bookworm-security`. */
  readonly name: string;
  readonly records: number;
  /**
   * RFC 3339: when it was taken, where the builder said so; else the newest date in it. Absent: it has no
   * date.
   */
  readonly date?: string;
  /** Records that could not be read, so that nobody knows what they are about. */
  readonly unread: number;
}

export interface DatabaseFacts {
  /** `sha256:...` of the whole file. */
  readonly digest: string;
  readonly sources: readonly DataSource[];
}

export interface FoundAdvisory {
  readonly advisory: Advisory;
  readonly affected: AffectedPackage;
}

/** What matching asks; whoever has the data answers, from a file or from memory. */
export interface VulnerabilityData {
  readonly facts: DatabaseFacts;
  /** Those of OSV that it has anything about. */
  readonly ecosystems: readonly string[];
  /** @param key The name as `packageKey` spells it. */
  readonly find: (ecosystem: string, key: string) => readonly FoundAdvisory[];
  /** What indexes of a release of Debian offer under this name for an architecture. */
  readonly offered: (release: string, name: string, architecture: string) => readonly OfferedPackage[];
  /**
   * `12 amd64`: releases of Debian of which it has an index; `whole`: of the main archive too, so that a name
   * that is missing is not Debian's.
   */
  readonly archives: ReadonlyMap<string, { readonly whole: boolean }>;
  readonly nvidia: { readonly facts: readonly NvidiaFact[]; readonly releases: CudaReleases } | undefined;
  readonly llvm: readonly LlvmFact[];
}
