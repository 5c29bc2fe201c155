import { compact } from '../../base/compact.ts';
import table from '../data/llvm-pins.json' with { type: 'json' };
import type { LlvmRole } from './places.ts';

/** Which LLVM a Triton pins. */
export interface Pin {
  /** 7 to 40 hexadecimal digits. */
  readonly commit: string;
  readonly version?: string;
  readonly repository?: string;
  /** From a data file that somebody signed, not from what tcf brings along. */
  readonly isAdded?: true;
}

/** One row of `data/llvm-pins.json`, or of the data file that `tcf pins add` writes beside it. */
export interface PinRow {
  readonly kind: string;
  readonly distribution?: string | undefined;
  readonly triton_version?: string | undefined;
  readonly triton_commit?: string | undefined;
  /** Which of several LLVMs; absent: the one in `libtriton.so`. */
  readonly role?: string | undefined;
  readonly llvm_commit?: string | undefined;
  readonly llvm_repository?: string | undefined;
  readonly llvm_version?: string | undefined;
  readonly isAdded?: true;
}

export interface PinTable {
  /**
   * The pin of a distribution's version. A local version that names a commit (`3.6.0+git7c56a5e4`) is looked
   * up by that commit and never by its number: between two releases the number stays and the pin moves.
   * `undefined`: not known.
   */
  pinOf(distribution: string, version: string, role?: LlvmRole): Pin | undefined;
  /**
   * What the table knows about an LLVM commit; a prefix of at least 8 digits is completed where only one
   * commit fits.
   */
  lookUp(commit: string): Pin | undefined;
}

/**
 * The rows that tcf brings along, compiled for this project from Triton's public history and releases; each
 * names in `source` the repository, commit and file it was read from. Rows of kind `prebuilt-requested` say
 * what CI was asked to build and are never a pin.
 */
export const builtInRows: readonly PinRow[] = table;

/**
 * Distributions on PyPI and elsewhere that install the package `triton`; others are told by the library that
 * they own.
 */
export const tritonDistributions: ReadonlySet<string> = new Set([
  'fbtriton',
  'pytorch-triton',
  'pytorch-triton-rocm',
  'pytorch-triton-xpu',
  'tokenspeed-triton',
  'triton',
  'triton-ascend',
  'triton-cpu',
  'triton-nightly',
  'triton-rocm',
  'triton-windows',
  'triton-xpu',
]);

/** A table of the rows given; of two rows about one thing the first counts. */
export function toPinTable(all: readonly PinRow[]): PinTable {
  const rows = all.filter(
    ({ kind, llvm_commit }) => kind !== 'prebuilt-requested' && /^[0-9a-f]{7,40}$/.test(llvm_commit ?? ''),
  );
  return {
    pinOf(distribution, version, role = 'core') {
      const [, release, commit] =
        /^([\w.]+?)(?:\.post\d+)?(?:\+(?:git)?([0-9a-f]{8,40}))?$/.exec(version) ?? [];
      if (release === undefined) {
        return undefined;
      }
      const row = rows
        .filter((each) => (each.role ?? 'core') === role)
        .find((each) =>
          commit === undefined
            ? each.kind === 'release' &&
              each.distribution?.split(' ')[0] === distribution &&
              (each.triton_version === version || each.triton_version === release)
            : (each.triton_commit ?? '').length >= 8 && samePrefix(each.triton_commit ?? '', commit),
        );
      return row === undefined ? undefined : pinIn(rows, row);
    },
    lookUp(commit) {
      if (commit.length < 8) {
        return undefined;
      }
      const found = rows.filter(
        ({ llvm_commit = '' }) => llvm_commit.length === 40 && llvm_commit.startsWith(commit),
      );
      if (new Set(found.map(({ llvm_commit }) => llvm_commit)).size !== 1) {
        return undefined;
      }
      // A row that states the repository stands before those of main's history, which only have the default.
      const row =
        found.find(({ kind, llvm_repository }) => kind !== 'main-history' && llvm_repository) ?? found[0];
      return row === undefined ? undefined : pinIn(rows, row);
    },
  };
}

/** What tcf knows without any data file. */
export const builtInPins: PinTable = toPinTable(builtInRows);

function pinIn(
  rows: readonly PinRow[],
  { isAdded, llvm_commit, llvm_repository, llvm_version }: PinRow,
): Pin | undefined {
  if (llvm_commit === undefined) {
    return undefined;
  }
  const others = rows.filter((row) => row.llvm_commit === llvm_commit);
  const repository = llvm_repository ?? others.find((row) => row.llvm_repository)?.llvm_repository;
  const version = llvm_version ?? others.find((row) => row.llvm_version)?.llvm_version;
  return compact({
    commit: llvm_commit,
    isAdded,
    repository,
    // `20 or 21` is a row that does not know.
    ...(version === undefined || version.includes(' ') ? {} : { version }),
  });
}

/** Whether two commits, each perhaps cut to a prefix, may be the same. */
export function samePrefix(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}
