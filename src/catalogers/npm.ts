import { byCodeUnit, printable } from '../base/text.ts';
import type { Component, Dependency } from '../bom/model.ts';
import type { Catalog, Cataloger, Ownership, Skipped, StreamScanner, Tree, TreeFile } from './contract.ts';
import { type NpmPackage, npmComponent, npmRef } from './npm/component.ts';
import { manifestIn, npmFieldsOf, npmPackageName } from './npm/manifest.ts';
import {
  isApplicationManifest,
  isGlobalManifest,
  isGlobalTree,
  isProject,
  lookUpModule,
  npmPlaceOf,
  parentOf,
  rootOf,
} from './npm/places.ts';

/** npm 11 itself names 65. A hostile list times `maxNesting` stays small. */
const maxDependencies = 2000;
/** Says of a manifest of an application that it is one. */
const noContent: StreamScanner = { push: () => undefined, isDone: true, end: () => ({}) };

/**
 * Packages that npm, yarn, pnpm or bun installed globally, and their own dependencies nested in them. Those
 * of an application, such as `/app/node_modules`, are left out and counted.
 */
export const npm: Cataloger = {
  name: 'npm',
  wantedAt: ['**/node_modules*/**/package.json', 'usr/**/nodejs/**/package.json'],
  wants: isGlobalManifest,
  scanned: { at: ['**/node_modules/**/package.json'] },
  scan: (path) => (isApplicationManifest(path) ? noContent : undefined),
  catalog(tree: Tree): Catalog {
    const skipped: Skipped[] = [];
    const manifests = Map.groupBy(tree.wanted(), ({ path }) => isProject(tree, rootOf(path) ?? ''));
    const packages = packagesOf(manifests.get(false) ?? [], skipped);
    const needs = [...packages.values()].map((found) => needsOf(tree, found, packages, skipped));
    const nested = Map.groupBy(packages.values(), ({ place }) => packageAround(parentOf(place), packages));
    const build = (found: NpmPackage): Component => {
      const inner = (nested.get(found) ?? []).map(build);
      const component = npmComponent(tree, found);
      return inner.length === 0 ? component : { ...component, components: inner };
    };
    return {
      components: (nested.get(undefined) ?? []).map(build),
      dependencies: needs.flatMap(({ unknown, ...edges }): readonly Dependency[] =>
        unknown && edges.dependsOn.length === 0 ? [] : [edges],
      ),
      owners: [...packages.values()].map(
        (found): Ownership => ({
          bomRef: npmRef(found),
          owns: (path) => path.startsWith(`${found.place}/`) && packageAround(path, packages) === found,
        }),
      ),
      skipped: [...skipped, ...linksOut(tree, packages)],
      leftOut: applicationsIn(
        [...(manifests.get(true) ?? []), ...tree.observed()].filter(
          ({ path }) => packageAround(path, packages) === undefined,
        ),
      ),
      unknownDependencies: needs.filter(({ unknown }) => unknown).map(({ ref }) => ref),
    };
  },
};

/** Each folder of modules that no other holds, with the number of packages that are in it. */
function applicationsIn(manifests: readonly TreeFile[]): readonly Skipped[] {
  const folders = Map.groupBy(
    manifests,
    ({ path }) => /^.*?(?:^|\/)node_modules(?=\/)/s.exec(path)?.[0] ?? '',
  );
  return [...folders]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([path, files]) => ({
      path: printable(path),
      reason: `holds ${files.length === 1 ? 'a package' : `${files.length} packages`} of an application, not listed`,
    }));
}

function packagesOf(files: readonly TreeFile[], skipped: Skipped[]): ReadonlyMap<string, NpmPackage> {
  const packages = new Map<string, NpmPackage>();
  for (const file of files) {
    const read = manifestIn(file);
    if (typeof read === 'string') {
      skipped.push({ path: printable(file.path), reason: read });
    } else {
      packages.set(npmPlaceOf(file), { place: npmPlaceOf(file), file, manifest: read });
    }
  }
  return packages;
}

/**
 * The innermost package around a path; directories whose package.json is broken belong to what is around
 * them.
 */
function packageAround(path: string, packages: ReadonlyMap<string, NpmPackage>): NpmPackage | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    const found = packages.get(at);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

interface Needs extends Dependency {
  /** Something it asks for is there and could not be read. */
  readonly unknown: boolean;
}

/**
 * What a package gets when it asks for its dependencies, optional and peer ones too; what is not installed is
 * no edge.
 */
function needsOf(
  tree: Tree,
  found: NpmPackage,
  packages: ReadonlyMap<string, NpmPackage>,
  skipped: Skipped[],
): Needs {
  const { fields } = found.manifest;
  const dependsOn = new Set<string>();
  let unknown = false;
  for (const key of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
    const asked = fields[key] ?? {};
    // `[]` for `{}` is a mistake of many old packages and still says "none".
    const names = npmFieldsOf(asked) ?? (Array.isArray(asked) && asked.length === 0 ? {} : undefined);
    if (names === undefined || Object.keys(names).length > maxDependencies) {
      unknown = true;
      const reason = names === undefined ? 'is not an object' : `has more than ${maxDependencies} entries`;
      skipped.push({ path: printable(found.file.path), reason: `${key} ${reason}` });
      continue;
    }
    for (const name of Object.keys(names).filter((candidate) => npmPackageName.test(candidate))) {
      const place = lookUpModule(tree, found.place, name);
      if (place === undefined || place === found.place) {
        continue;
      }
      const target = packages.get(place);
      if (target === undefined) {
        unknown = true;
      } else {
        dependsOn.add(npmRef(target));
      }
    }
  }
  return { ref: npmRef(found), dependsOn: [...dependsOn].sort(byCodeUnit), unknown };
}

/** `npm link` puts a link to a source tree into the global tree; what lies there was not read. */
function linksOut(tree: Tree, packages: ReadonlyMap<string, NpmPackage>): readonly Skipped[] {
  const roots = new Set([...packages.keys()].map((place) => rootOf(`${place}/`) ?? ''));
  return [...roots]
    .filter((root) => isGlobalTree(root))
    .flatMap((root) =>
      tree
        .list(root.slice(0, -1))
        .flatMap((name) =>
          name.startsWith('@') ? tree.list(`${root}${name}`).map((inner) => `${name}/${inner}`) : [name],
        )
        .flatMap((name): Skipped[] => {
          const place = `${root}${name}`;
          const real = tree.resolve(place);
          if (real === undefined || real === place || packages.has(real) || name.startsWith('.')) {
            return [];
          }
          return [{ path: printable(place), reason: `is a link to ${printable(real)}, which was not read` }];
        }),
    );
}
