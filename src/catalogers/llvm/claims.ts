import type { IdentityMethod, Layer } from '../../bom/model.ts';
import type { LlvmRole } from './places.ts';

export type Rung =
  | 'A'
  | 'B'
  | 'C'
  | 'D'
  | 'E'
  | 'F'
  | 'F2'
  | 'G'
  | 'H'
  | 'I'
  | 'J'
  | 'K'
  | 'L'
  | 'M'
  | 'N'
  | 'P';

export interface Method {
  readonly word: string;
  readonly technique: IdentityMethod['technique'];
  readonly confidence: number;
}

/**
 * How something about an LLVM was learned. The letters are the rungs of docs/llvm.md; the words stand in the
 * BOM. `confidence` is about the commit where there is one, else about the version.
 */
export const methods: Readonly<Record<Rung, Method>> = {
  A: { word: 'prebuilt-url', technique: 'manifest-analysis', confidence: 0.8 },
  B: { word: 'prebuilt-directory', technique: 'filename', confidence: 0.5 },
  C: { word: 'vcs-revision', technique: 'manifest-analysis', confidence: 0.9 },
  D: { word: 'config-version', technique: 'manifest-analysis', confidence: 0.8 },
  E: { word: 'version-and-commit', technique: 'binary-analysis', confidence: 0.95 },
  F: { word: 'lld-version', technique: 'binary-analysis', confidence: 0.95 },
  F2: { word: 'tool-version', technique: 'binary-analysis', confidence: 0.95 },
  G: { word: 'version-literal', technique: 'binary-analysis', confidence: 0.8 },
  H: { word: 'codegen-revision', technique: 'binary-analysis', confidence: 0.9 },
  I: { word: 'gsan-ident', technique: 'manifest-analysis', confidence: 0.9 },
  J: { word: 'bare-version', technique: 'binary-analysis', confidence: 0.6 },
  K: { word: 'checkout-pin', technique: 'manifest-analysis', confidence: 0.7 },
  L: { word: 'release-table', technique: 'manifest-analysis', confidence: 0.7 },
  M: { word: 'pins-file', technique: 'manifest-analysis', confidence: 0.7 },
  N: { word: 'soname', technique: 'filename', confidence: 0.5 },
  P: { word: 'core-library', technique: 'filename', confidence: 0.3 },
};

interface Said {
  readonly rung: Rung;
  /** Where it was read. */
  readonly path: string;
  readonly layer: Layer;
  readonly role: LlvmRole;
  /** 7 to 40 hexadecimal digits; fewer than 40 are a prefix and stay one. */
  readonly commit?: string;
  /** `22.0.0git`; `14` from a soname. */
  readonly version?: string;
  /** `owner/name` on GitHub. */
  readonly repository?: string;
}

/** Something seen on a real LLVM. */
export interface Claim extends Said {
  readonly site: string;
  readonly offset?: number;
  /** Name of the prebuilt package: `llvm-f6ded0be-ubuntu-x64-1`. */
  readonly prebuilt?: string;
  /** Of the file at `path`. */
  readonly sha256?: string;
  /** Only where the file is that LLVM. */
  readonly sha512?: string;
}

/**
 * Something that says which LLVM ought to be there. Without a commit the pin is unknown, and `reason` says
 * why.
 */
export interface Declaration extends Said {
  /** Sites it speaks about. The first is where the LLVM would be, were there any. */
  readonly sites: readonly string[];
  /** Whether it speaks about prebuilts too: only a checkout says with which of them Triton is built. */
  readonly prebuilts: boolean;
  readonly reason?: string;
}

/**
 * A file in a build folder holds the LLVM of the package beside it where both name one commit; else it is an
 * older one, or another.
 */
export function joinBuilds(claims: readonly Claim[]): readonly Claim[] {
  const homes = new Map<string, Claim>();
  for (const { commit, path, role, site } of claims) {
    if (role !== 'build' || commit === undefined) {
      continue;
    }
    const home = claims.find(
      (other) => other.role !== 'build' && other.commit === commit && isBeside(other.site, site),
    );
    if (home !== undefined) {
      homes.set(path, home);
    }
  }
  return claims.map((claim) => {
    const home = claim.role === 'build' ? homes.get(claim.path) : undefined;
    return home === undefined ? claim : { ...claim, role: home.role, site: home.site };
  });
}

/** `w/triton/python/triton` and `w/triton/build/lib`. */
function isBeside(site: string, build: string): boolean {
  const checkout = site.replace(/(?:\/python)?\/triton$/, '');
  return build.startsWith(`${checkout}/`);
}

/**
 * `https://github.com/triton-lang/llvm-project.git` as `triton-lang/llvm-project`; `undefined` for anything
 * but GitHub.
 */
export function claimedRepository(url: string): string | undefined {
  const match = /^https?:\/\/github\.com\/([\w-]{1,39})\/([\w.-]{1,100}?)(?:\.git)?\/?$/.exec(url);
  return match === null ? undefined : `${match[1]}/${match[2]}`.toLowerCase();
}

/** Whether two versions may be of one LLVM: `14` and `14.0.6`, `22.0.0` (of LLD) and `22.0.0git`. */
export function areCompatible(one: string, other: string): boolean {
  const numbers = (version: string): readonly string[] =>
    /^[\d.]*\d/.exec(version)?.[0].split('.') ?? [version];
  const [a, b] = [numbers(one), numbers(other)];
  return a.slice(0, b.length).every((number, index) => number === b[index]);
}
