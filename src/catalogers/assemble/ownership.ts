import { byCodeUnit } from '../../base/text.ts';
import type { Component } from '../../bom/model.ts';
import { parsePurl } from '../../bom/purl.ts';
import { type Inventory, type Item, locationsOf } from './inventory.ts';

/** Package managers of operating systems. */
const osPurlTypes: ReadonlySet<string> = new Set(['alpm', 'apk', 'deb', 'rpm']);

/** Their databases. Without os-release a package has no purl, for nobody knows its namespace. */
const osDatabases =
  /^(?:var\/lib\/(?:dpkg|rpm|rpmmanifest)|(?:usr\/)?lib\/apk\/db|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\//;

/** Whether a component is a package of the operating system. */
export function isOsPackage(component: Component): boolean {
  if (component.purl !== undefined) {
    return osPurlTypes.has(parsePurl(component.purl).type);
  }
  const locations = locationsOf(component);
  return locations.length > 0 && locations.every((location) => osDatabases.test(location));
}

/**
 * In which component each nested one lies: where its cataloger put it, else the component that owns the first
 * of its files that has an owner. One thing on disk is then one component: the wheel that a distribution
 * packages, the ptxas that a wheel ships.
 */
export function nest(inventory: Inventory): ReadonlyMap<string, string> {
  const owners = ownersOf(inventory);
  const candidates = new Map<string, readonly string[]>();
  for (const [ref, item] of inventory.items) {
    if (item.parent === undefined && mayBeOwned(item)) {
      candidates.set(ref, claimants(ref, item, owners));
    }
  }
  const parents = new Map<string, string>();
  for (const [ref, item] of inventory.items) {
    if (item.parent !== undefined) {
      parents.set(ref, item.parent);
    }
  }
  breakLoops(parents);
  for (const ref of [...candidates.keys()].sort(byCodeUnit)) {
    const owner = mostSpecific(candidates.get(ref) ?? [], candidates).find(
      (other) => !liesIn(other, ref, parents),
    );
    if (owner !== undefined) {
      parents.set(ref, owner);
    }
  }
  return parents;
}

/**
 * A hostile RECORD may claim `var/lib/dpkg/status`, where every package was found: what the OS installed is
 * never anybody's part.
 */
function mayBeOwned({ component }: Item): boolean {
  return component.type !== 'operating-system' && !isOsPackage(component);
}

interface Owner {
  readonly ref: string;
  readonly packaging: string | undefined;
  /** The refs of the run that named it. */
  readonly beside: ReadonlySet<string>;
  owns(path: string): boolean;
}

function ownersOf(inventory: Inventory): readonly Owner[] {
  return inventory.runs.flatMap((run) =>
    run.owners.flatMap((owner) => {
      const item = inventory.items.get(owner.bomRef);
      if (item === undefined) {
        return [];
      }
      const owns = (path: string): boolean => owner.owns(path);
      return [{ ref: owner.bomRef, packaging: packagingOf(item), beside: run.refs, owns }];
    }),
  );
}

/**
 * Who owns the first location that has an owner, shared libraries before programs and headers: of an LLVM in
 * three debs the one with `libLLVM.so` has it, and not the one with its headers. An owner is another
 * cataloger's or another packaging's component: a distribution's own RECORD names itself, and proves nothing.
 */
function claimants(ref: string, item: Item, owners: readonly Owner[]): readonly string[] {
  const packaging = packagingOf(item);
  const others = owners.filter(
    (owner) => owner.ref !== ref && (owner.packaging !== packaging || !owner.beside.has(ref)),
  );
  const [libraries = [], rest = []] = [true, false].map((wanted) =>
    locationsOf(item.component).filter((location) => sharedLibrary.test(location) === wanted),
  );
  for (const location of [...libraries, ...rest]) {
    const found = others.filter((owner) => owner.owns(location)).map((owner) => owner.ref);
    if (found.length > 0) {
      return [...new Set(found)].sort(byCodeUnit);
    }
  }
  return [];
}

const sharedLibrary = /\.so(?:\.[\w.+-]+)?$/;

function packagingOf({ component }: Item): string | undefined {
  return component.purl === undefined ? undefined : parsePurl(component.purl).type;
}

/** Of a wheel and the deb that packages it, the wheel: it is itself owned by the other. */
function mostSpecific(
  owners: readonly string[],
  candidates: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const rank = (owner: string): number =>
    owners.filter((other) => candidates.get(owner)?.includes(other) === true).length;
  return [...owners].sort((a, b) => rank(b) - rank(a) || byCodeUnit(a, b));
}

function liesIn(ref: string, container: string, parents: ReadonlyMap<string, string>): boolean {
  for (let at: string | undefined = ref; at !== undefined; at = parents.get(at)) {
    if (at === container) {
      return true;
    }
  }
  return false;
}

/** Merging two components may close a loop of nesting; the first ref of it stands free. */
function breakLoops(parents: Map<string, string>): void {
  for (const ref of [...parents.keys()].sort(byCodeUnit)) {
    const parent = parents.get(ref);
    if (parent === undefined) {
      continue;
    }
    parents.delete(ref);
    if (!liesIn(parent, ref, parents)) {
      parents.set(ref, parent);
    }
  }
}
