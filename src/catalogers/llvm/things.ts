import { compact } from '../../base/compact.ts';
import { byCodeUnit, quoted } from '../../base/text.ts';
import { areCompatible, type Claim, type Declaration, methods } from './claims.ts';
import { samePrefix } from './pins.ts';
import type { LlvmRole } from './places.ts';

/** One LLVM: what was seen of it, what was declared about it, and whether both agree. */
export interface Thing {
  readonly site: string;
  readonly role: LlvmRole;
  readonly claims: readonly Claim[];
  readonly declarations: readonly Declaration[];
  readonly pin: 'match' | 'mismatch' | 'observed-only' | 'unknown' | 'version-match';
  /** Why it is a mismatch, or why the pin is not known. */
  readonly reason?: string;
}

/** Puts what was said together, one thing for each LLVM on disk. A pin without any LLVM is no thing. */
export function thingsOf(claims: readonly Claim[], declarations: readonly Declaration[]): readonly Thing[] {
  const seen = clusters(claims).map((cluster) => {
    const first = cluster[0] as Claim;
    const relevant = declarations.filter((declaration) => speaksOf(declaration, first));
    return { site: first.site, role: first.role, claims: cluster, declarations: narrowed(relevant, cluster) };
  });
  return seen
    .map((thing) => ({ ...thing, ...judged(thing.claims, thing.declarations) }))
    .sort((a, b) => byCodeUnit(keyOf(a), keyOf(b)));
}

function keyOf({ site, role, claims, declarations }: Omit<Thing, 'pin'>): string {
  return JSON.stringify([site, role, commitOf(claims), versionOf(claims), commitOf(declarations)]);
}

/** A prebuilt belongs to every checkout in the image; everything else to the place it lies in. */
function speaksOf(declaration: Declaration, claim: Claim): boolean {
  if (declaration.role !== claim.role) {
    return false;
  }
  return (
    declaration.sites.includes(claim.site) ||
    (declaration.prebuilts && /(?:^|\/)\.triton\/llvm\//.test(claim.site))
  );
}

/**
 * Of several checkouts that may own a prebuilt, those that agree with it: the others have their own or none.
 */
function narrowed(declarations: readonly Declaration[], claims: readonly Claim[]): readonly Declaration[] {
  const site = claims[0]?.site ?? '';
  const own = declarations.filter(({ sites }) => sites.includes(site));
  if (own.length > 0 || new Set(declarations.map(({ sites }) => sites[0])).size < 2) {
    return declarations;
  }
  const commit = commitOf(claims) ?? '';
  const agreeing = declarations.filter(
    (declaration) => commit !== '' && samePrefix(declaration.commit ?? '?', commit),
  );
  return agreeing.length > 0 ? agreeing : declarations;
}

/** Claims of one place about one commit or, without a commit, about one version. */
function clusters(claims: readonly Claim[]): readonly (readonly Claim[])[] {
  const places = new Map<string, Claim[]>();
  for (const claim of claims) {
    const key = `${claim.site}\0${claim.role}`;
    places.set(key, [...(places.get(key) ?? []), claim]);
  }
  return [...places.values()].flatMap((place) => {
    const found: Claim[][] = [];
    const join = (claim: Claim, fits: (cluster: readonly Claim[]) => boolean): void => {
      const cluster = found.find(fits);
      if (cluster === undefined) {
        found.push([claim]);
      } else {
        cluster.push(claim);
      }
    };
    const length = (text: string | undefined): number => text?.length ?? 0;
    const ordered = place.toSorted(
      (a, b) =>
        length(b.commit) - length(a.commit) ||
        length(b.version) - length(a.version) ||
        byCodeUnit(a.path, b.path) ||
        byCodeUnit(JSON.stringify(a), JSON.stringify(b)),
    );
    for (const claim of ordered) {
      const { commit, version = '' } = claim;
      if (commit !== undefined) {
        join(claim, (cluster) => samePrefix(commitOf(cluster) ?? '?', commit));
        continue;
      }
      join(claim, (cluster) => areCompatible(versionOf(cluster) ?? version, version));
    }
    return found.map((cluster) => cluster.toSorted((a, b) => byCodeUnit(a.path, b.path)));
  });
}

/** The longest commit anyone named. */
export function commitOf(said: readonly { readonly commit?: string }[]): string | undefined {
  return said
    .flatMap(({ commit }) => commit ?? [])
    .sort((a, b) => b.length - a.length || byCodeUnit(a, b))[0];
}

/** The most exact version anyone named: `22.0.0git` stands before LLD's `22.0.0`. */
export function versionOf(said: readonly { readonly version?: string }[]): string | undefined {
  return said
    .flatMap(({ version }) => version ?? [])
    .sort((a, b) => b.length - a.length || byCodeUnit(a, b))[0];
}

/** The repository somebody named, those who saw it before those who looked it up. */
export function repositoryNamed(said: readonly { readonly repository?: string }[]): string | undefined {
  return said.flatMap(({ repository }) => repository ?? []).sort(byCodeUnit)[0];
}

function judged(
  claims: readonly Claim[],
  declarations: readonly Declaration[],
): Pick<Thing, 'pin'> & { reason?: string } {
  const observed = commitOf(claims);
  for (const declaration of declarations) {
    const conflict = disagreement(claims, declaration);
    if (conflict !== undefined) {
      return { pin: 'mismatch', reason: conflict };
    }
    const other = declarations.find(
      ({ commit }) =>
        commit !== undefined && declaration.commit !== undefined && !samePrefix(commit, declaration.commit),
    );
    if (other !== undefined) {
      return {
        pin: 'mismatch',
        reason: `${quoted(declaration.path)} declares LLVM ${declaration.commit}, ${quoted(other.path)} declares ${other.commit}`,
      };
    }
  }
  const known = declarations.some(({ commit }) => commit !== undefined);
  const reason = declarations.find(({ reason }) => reason !== undefined)?.reason;
  const version = versionOf(claims);
  if (observed === undefined && version === undefined) {
    return { pin: 'unknown', reason: reason ?? 'the library says nothing of its LLVM' };
  }
  if (declarations.length === 0) {
    return { pin: 'observed-only' };
  }
  if (!known) {
    return compact({ pin: 'unknown', reason });
  }
  if (observed !== undefined) {
    return { pin: 'match' };
  }
  return declarations.some((declaration) => declaration.version !== undefined)
    ? { pin: 'version-match' }
    : { pin: 'unknown', reason: 'only a version was seen, and of the pin only the commit is known' };
}

/** In one sentence how what was seen differs from what was declared; `undefined` if it does not. */
function disagreement(claims: readonly Claim[], declaration: Declaration): string | undefined {
  const declares = `${quoted(declaration.path)} declares LLVM`;
  for (const claim of claims) {
    const saw = `${quoted(claim.path)} holds`;
    if (claim.commit !== undefined && declaration.commit !== undefined) {
      if (!samePrefix(claim.commit, declaration.commit)) {
        return `${declares} ${declaration.commit}, ${saw} ${claim.commit} (${methods[claim.rung].word})`;
      }
      // Forks share one object store on GitHub, so a commit alone does not say whose it is. Somebody else's
      // build of it does.
      if (
        declaration.rung !== 'K' &&
        claim.repository !== undefined &&
        declaration.repository !== undefined
      ) {
        if (claim.repository !== declaration.repository) {
          return `${declares} of ${declaration.repository}, ${saw} one of ${claim.repository} (${methods[claim.rung].word})`;
        }
      }
    } else if (claim.version !== undefined && declaration.version !== undefined) {
      if (!areCompatible(claim.version, declaration.version)) {
        return `${declares} ${declaration.version}, ${saw} ${claim.version} (${methods[claim.rung].word})`;
      }
    }
  }
  return undefined;
}
