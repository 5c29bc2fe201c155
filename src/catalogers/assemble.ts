import { cannotTell } from '../base/error.ts';
import { byCodeUnit, printable } from '../base/text.ts';
import { ownedBy } from '../bom/layout.ts';
import type { BaseImage, Bom, Component, Property, Subject } from '../bom/model.ts';
import { rootRef } from '../bom/subject.ts';
import { checkBom } from '../bom/validate.ts';
import { withoutRepeatedClaims } from './assemble/claims.ts';
import { compositionsOf } from './assemble/compositions.ts';
import { graphOf } from './assemble/graph.ts';
import { type Inventory, inventoryOf, locationsOf, type Run } from './assemble/inventory.ts';
import { isOsPackage, nest } from './assemble/ownership.ts';
import type { Skipped } from './contract.ts';

export type { Run } from './assemble/inventory.ts';

/** What the walk over the layers learned that belongs to no cataloger. */
export interface ScanFacts {
  /** Executable files that no component owns. Each is a known unknown. */
  readonly unownedExecutables: readonly string[];
  /** The build-id of each ELF file that has one, by path. */
  readonly buildIds?: ReadonlyMap<string, string>;
}

/**
 * Listed one by one up to here; the count stands there anyway. A tree with more is a file system, not a list
 * for people.
 */
const maxListed = 1000;

/**
 * One BOM from what the catalogers found. Whatever lies in a file of another component is nested there,
 * everything is reachable from the image, and what was skipped or not known is said. The result does not
 * depend on the order of runs, components or files.
 *
 * @throws TcfError `sbom.inconsistent` (exit 2) if the result fails `checkBom`, which would be a defect of
 *   tcf.
 */
export function assemble(
  subject: Subject,
  found: readonly Run[],
  skipped: readonly Skipped[],
  facts: ScanFacts,
): Bom {
  const root = rootRef(subject);
  const runs = withoutRepeatedClaims(found);
  const inventory = inventoryOf(root, runs);
  const parents = nest(inventory);
  const graph = graphOf(root, inventory, parents);
  const complaints = [
    ...inventory.runs.flatMap((run) => run.skipped.map((entry) => ({ ...entry, by: `${run.cataloger}: ` }))),
    ...skipped.map((entry) => ({ ...entry, by: '' })),
    ...graph.dangling.map((ref) => ({
      path: ref,
      reason: 'is named as a dependency and was not found',
      by: '',
    })),
  ];
  const leftOut = leftOutOf(runs);
  const bom: Bom = {
    subject,
    components: componentTree(inventory, parents, facts.buildIds ?? new Map(), subject.base),
    dependencies: graph.dependencies,
    compositions: compositionsOf(root, inventory, graph, {
      complete: complaints.length === 0 && leftOut.length === 0 && facts.unownedExecutables.length === 0,
    }),
    properties: [
      ...listed(
        'tcf:skipped',
        complaints.map(({ by, path, reason }) => `${by}${path}: ${reason}`),
      ),
      ...listed('tcf:left-out', leftOut),
      ...listed(
        'tcf:unowned-executable',
        facts.unownedExecutables.map((path) => withBuildId(path, facts.buildIds?.get(path))),
      ),
    ],
  };
  // A BOM that contradicts itself would be signed and believed; better none.
  const [wrong] = checkBom(bom);
  if (wrong !== undefined) {
    throw cannotTell('sbom.inconsistent', `the BOM does not hold together: ${printable(wrong)}`);
  }
  return bom;
}

/**
 * What the operating system brought is its package's, whatever somebody else would make of it: wheels for new
 * virtual environments, say.
 */
function leftOutOf(runs: readonly Run[]): readonly string[] {
  const owners = runs
    .filter(({ cataloger }) => osCatalogers.has(cataloger))
    .flatMap(({ catalog }) => catalog.owners ?? []);
  return runs.flatMap(({ cataloger, catalog }) =>
    (catalog.leftOut ?? [])
      .filter(({ path }) => !owners.some((owner) => owner.owns(path)))
      .map(({ path, reason }) => `${cataloger}: ${path}: ${reason}`),
  );
}

const osCatalogers: ReadonlySet<string> = new Set(['apk', 'dpkg', 'rpm']);

/** Every nested component below its parent, siblings by bom-ref. */
function componentTree(
  inventory: Inventory,
  parents: ReadonlyMap<string, string>,
  buildIds: ReadonlyMap<string, string>,
  base: BaseImage | undefined,
): readonly Component[] {
  const children = Map.groupBy([...inventory.items.keys()].sort(byCodeUnit), (ref) => parents.get(ref));
  const build = (ref: string): readonly Component[] => {
    const item = inventory.items.get(ref);
    if (item === undefined) {
      return [];
    }
    const owner = parents.get(ref);
    const nested = (children.get(ref) ?? []).flatMap(build);
    const properties: readonly Property[] = [
      ...(item.component.properties ?? []),
      ...(owner === undefined || owner === item.parent ? [] : [{ name: ownedBy, value: owner }]),
      ...originOf(placed(ref, inventory, parents), base),
      ...locationsOf(item.component).flatMap((path) => {
        const id = buildIds.get(path);
        return id === undefined ? [] : [{ name: 'tcf:elf:build-id', value: `${id} of ${path}` }];
      }),
    ];
    return [
      {
        ...supplied(item.component, inventory.items.get(owner ?? '')?.component),
        ...(properties.length === 0 ? {} : { properties }),
        ...(nested.length === 0 ? {} : { components: nested }),
      },
    ];
  };
  return (children.get(undefined) ?? []).flatMap(build);
}

/** What a distribution packaged it supplies, where nothing says who else does. */
function supplied(component: Component, owner: Component | undefined): Component {
  return component.supplier === undefined && owner?.supplier !== undefined && isOsPackage(owner)
    ? { ...component, supplier: owner.supplier }
    : component;
}

/**
 * What has no place of its own lies where the component does in which it is nested: a module in its program.
 */
function placed(
  ref: string,
  inventory: Inventory,
  parents: ReadonlyMap<string, string>,
): Component | undefined {
  for (let at: string | undefined = ref; at !== undefined; at = parents.get(at)) {
    const component = inventory.items.get(at)?.component;
    if (component?.evidence?.occurrences !== undefined) {
      return component;
    }
  }
  return undefined;
}

/**
 * A component came with the base if all that is known of it lies in the base's layers; one that was changed
 * later did not.
 */
function originOf(component: Component | undefined, base: BaseImage | undefined): readonly Property[] {
  const layers = (component?.evidence?.occurrences ?? []).flatMap(({ layer }) => layer?.index ?? []);
  if (base === undefined || layers.length === 0) {
    return [];
  }
  return [{ name: 'tcf:origin', value: layers.every((layer) => layer < base.layers) ? 'base' : 'added' }];
}

function withBuildId(path: string, buildId: string | undefined): string {
  return buildId === undefined ? path : `${path} (build-id ${buildId})`;
}

/** The count, then the entries themselves; nothing where there are none. */
function listed(name: string, values: readonly string[]): readonly Property[] {
  const unique = [...new Set(values)].sort(byCodeUnit);
  if (unique.length === 0) {
    return [];
  }
  return [
    { name: `${name}:count`, value: String(unique.length) },
    ...unique.slice(0, maxListed).map((value) => ({ name, value })),
  ];
}
