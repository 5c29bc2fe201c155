import { llvmRoleOf } from '../../bom/diff.ts';
import type { SbomComponent, SbomFacts } from '../../bom/read.ts';
import { normalName } from '../../catalogers/python/metadata.ts';
import { placeComponents } from '../../vulns/owners.ts';
import type { Lock } from '../lock/lock.ts';

/** What an SBOM and the locks of its image say differently. */
export interface LockComparison {
  /** In a lock, and not in the image. */
  readonly missing: readonly string[];
  /** In the image, and in no lock. */
  readonly unlocked: readonly string[];
  /** How many stand in both. */
  readonly same: number;
}

/**
 * Compares both ways: every package, wheel and LLVM of the locks is in the SBOM in its version, and the SBOM
 * has none beside them. What lies inside a locked wheel (LLVM, ptxas, bundled libraries) is explained by its
 * hash.
 *
 * @param locks of the image and of those below it.
 * @param base SBOM of the image at the bottom, where a lock names one by its digest, which explains what it
 * has.
 */
export function compareWithLock(facts: SbomFacts, locks: readonly Lock[], base?: SbomFacts): LockComparison {
  const locked = new Set(locks.flatMap(namesInLock));
  const named = placeComponents(facts.components).flatMap(({ component, owners }) => {
    const name = asLocked(nameInSbom(component), locked);
    const isExplained =
      owners.some((owner) => locked.has(nameInSbom(owner.component) ?? '')) && !isLlvm(component);
    return name === undefined ? [] : [{ name, isExplained }];
  });
  const found = new Set(named.map(({ name }) => name));
  const below = new Set((base?.components ?? []).map(nameInSbom));
  const unlocked = named.filter(
    ({ isExplained, name }) => !isExplained && !locked.has(name) && !below.has(name),
  );
  return {
    missing: [...locked].filter((name) => !found.has(name)).sort(),
    unlocked: [...new Set(unlocked.map(({ name }) => name))].sort(),
    same: [...locked].filter((name) => found.has(name)).length,
  };
}

/** A tarball says eight digits of its commit, and the LLVM in it all of them. */
function asLocked(name: string | undefined, locked: ReadonlySet<string>): string | undefined {
  const short = /^llvm \S+ [0-9a-f]{8}/.exec(name ?? '')?.[0];
  return short !== undefined && locked.has(short) ? short : name;
}

function namesInLock({ debian, llvm = [], python, rpm }: Lock): readonly string[] {
  return [
    ...(debian?.packages ?? []).map(({ name, version }) => `deb ${name} ${version}`),
    ...(rpm?.packages ?? []).map(({ name, version }) => `rpm ${name} ${version}`),
    ...(python?.wheels ?? []).map(({ name, version }) => `wheel ${normalName(name)} ${version}`),
    ...llvm.map(({ commit, role }) => `llvm ${role} ${commit}`),
  ];
}

const isLlvm = (component: SbomComponent): boolean => llvmRoleOf(component) !== undefined;

function nameInSbom(component: SbomComponent): string | undefined {
  const { absent, name, purl = '', version = '' } = component;
  if (absent !== undefined) {
    return undefined;
  }
  const role = llvmRoleOf(component);
  // What a bundled tool was linked with stands in its own role, and its file is proven by the hash of the
  // wheel.
  if (role !== undefined && role !== 'other') {
    const commit = commitOf(component) ?? 'unknown';
    return `llvm ${role} ${commit}`;
  }
  const type = /^pkg:([a-z0-9.+-]+)\//.exec(purl)?.[1] ?? '';
  if (type === 'pypi') {
    return `wheel ${normalName(name)} ${version}`;
  }
  // Every package of a package manager: one that the lock does not speak of is in no lock.
  return packageTypes.has(type) ? `${type} ${name} ${version}` : undefined;
}

/**
 * What was observed, else what the release declares: the library of another one may not say its commit
 * itself.
 */
function commitOf({ properties, purl = '' }: SbomComponent): string | undefined {
  const said = ['tcf:llvm:observed', 'tcf:llvm:declared'].map((name) => properties[name] ?? '');
  const matches = [/@([0-9a-f]{7,40})$/.exec(purl), ...said.map((text) => /^([0-9a-f]{7,40})\b/.exec(text))];
  return matches.find((match) => match !== null)?.[1];
}

/**
 * Types of purls that package managers install (purl-spec, "types"); files inside a package are explained by
 * it.
 */
const packageTypes: ReadonlySet<string> = new Set([
  'alpm',
  'apk',
  'cargo',
  'conda',
  'deb',
  'gem',
  'golang',
  'maven',
  'npm',
  'rpm',
]);
