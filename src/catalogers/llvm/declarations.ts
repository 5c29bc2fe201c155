import type { ObservedFile, Tree, TreeFile } from '../contract.ts';
import { normalName } from '../python/metadata.ts';
import type { LlvmObservation } from './binary.ts';
import { pinOfCheckout } from './checkouts.ts';
import type { Claim, Declaration } from './claims.ts';
import { type Installation, installationsOf } from './packages.ts';
import type { PinTable } from './pins.ts';
import { type Hints, type LlvmRole, packageOfCore } from './places.ts';

interface Seen {
  readonly checkouts: ReadonlyMap<string, readonly TreeFile[]>;
  readonly claims: readonly Claim[];
  readonly hints: Hints;
  readonly libraries: readonly ObservedFile<LlvmObservation>[];
  readonly pins: PinTable;
}

/** The LLVMs of Triton that a release may pin. */
const pinned: ReadonlySet<LlvmRole> = new Set(['amd-codegen', 'core', 'nvidia-codegen']);

/**
 * Which LLVM ought to be where, by the pins of source trees (rung K) and of the distributions that are
 * installed (rungs L and M).
 */
export function declarationsIn(tree: Tree, seen: Seen): readonly Declaration[] {
  const { checkouts, hints, pins } = seen;
  const installations = [...roots(seen)].flatMap(([root, { library, sha256 }]) =>
    installationsOf(tree, root, library, sha256).map((installation) => ({ root, installation })),
  );
  const checkoutOf = ({ source }: Installation, site: string): string | undefined =>
    [...checkouts.keys()].find((root) =>
      [source, site].some((path) => path === root || path?.startsWith(`${root}/`)),
    );
  const fromCheckouts = [...checkouts].flatMap(([root, files]) => {
    const built = installations.filter((each) => checkoutOf(each.installation, each.root) === root);
    const own = hints.packages.has(`${root}/triton`)
      ? ['triton', 'python/triton']
      : ['python/triton', 'triton'];
    const sites = [
      ...own.map((name) => `${root}/${name}`),
      ...built.map((each) => each.root),
      ...one(hints.syspath),
    ];
    return files.map((file) => pinOfCheckout(file, sites, pins));
  });
  const released = installations.flatMap(({ installation, root }) => {
    // A bare number says less than the tree it was built from; a version that names a commit says what that
    // tree was.
    const isBare = !installation.version.includes('+');
    if (isBare && checkoutOf(installation, root) !== undefined) {
      return [];
    }
    return rolesAt(seen.claims, root).map((role) => pinOfRelease(installation, root, role, pins));
  });
  return [...fromCheckouts, ...released];
}

/** The Triton packages, each with its core library; a package that has lost it is told by its name. */
function roots({
  claims,
  libraries,
}: Seen): ReadonlyMap<string, { readonly library: string; readonly sha256: string | undefined }> {
  const found = new Map<string, { readonly library: string; readonly sha256: string | undefined }>();
  for (const { role, site, path } of claims) {
    if (pinned.has(role) && !found.has(site)) {
      found.set(site, { library: path, sha256: undefined });
    }
  }
  for (const { path, observation } of libraries) {
    const root = packageOfCore(path);
    if (root !== undefined && found.has(root)) {
      found.set(root, { library: path, sha256: observation.sha256 });
    }
  }
  return found;
}

function rolesAt(claims: readonly Claim[], root: string): readonly LlvmRole[] {
  const roles = claims.filter(({ role, site }) => site === root && pinned.has(role)).map(({ role }) => role);
  return [...new Set(roles)];
}

function pinOfRelease(
  { file, name, version }: Installation,
  root: string,
  role: LlvmRole,
  pins: PinTable,
): Declaration {
  const { isAdded, ...pin } = pins.pinOf(normalName(name), version, role) ?? {};
  const which = role === 'core' ? 'LLVM' : `LLVM for ${role}`;
  const reason = `the ${which} that ${name} ${version} pins is not known; "tcf pins add WHEEL" reads it from the wheel`;
  return {
    rung: isAdded ? 'M' : 'L',
    path: file.path,
    layer: file.layer,
    role,
    sites: [root],
    prebuilts: false,
    ...('commit' in pin ? pin : { reason }),
  };
}

function one<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
