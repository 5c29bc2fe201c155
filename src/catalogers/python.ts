import { printable } from '../base/text.ts';
import type { Component, Dependency } from '../bom/model.ts';
import type { Catalog, Cataloger, Ownership, Skipped, Tree } from './contract.ts';
import { builtInPins, type PinTable } from './llvm/pins.ts';
import { componentOf, refOf } from './python/component.ts';
import { parseDirectUrl } from './python/direct-url.ts';
import { byPlace, type Distribution, distributionsIn } from './python/distributions.ts';
import { isZippedEgg } from './python/egg.ts';
import { filesOf } from './python/files.ts';
import { infoAround, isMetadata } from './python/info.ts';
import { normalName, requirementsOfEgg } from './python/metadata.ts';
import { hashesOfInstalled, type RecordHash, scanInstalled } from './python/record.ts';
import { needsOf } from './python/requirements.ts';
import { isSiteMark, searchPathOf } from './python/sites.ts';
import { claimsOf } from './python/wheel-sboms.ts';

/** Read beside the metadata, whatever the capitals of its directory. */
const besideMetadata =
  /\/(?:INSTALLER|RECORD|direct_url\.json|sboms\/[^/]+|requires\.txt|installed-files\.txt)$/;

/** Python distributions of every environment in the image, as `pip list` of each sees them, and what those vendor. */
export function pythonCataloger(pins: PinTable): Cataloger<RecordHash> {
  return {
    name: 'python',
    wants: (path) =>
      isMetadata(path) || isSiteMark(path) || (besideMetadata.test(path) && infoAround(path) !== undefined),
    scan: scanInstalled,
    // RECORD is compared with real paths and hard links.
    scansBehindLinks: false,
    catalog(tree: Tree<RecordHash>): Catalog {
      const installed = hashesOfInstalled(tree);
      const { distributions, leftOut, skipped: unread } = distributionsIn(tree, installed);
      const skipped: Skipped[] = [...unread];
      const ordered = [...distributions].sort(byPlace);
      const owners = new Map(ordered.map((distribution) => [distribution, filesOf(tree, distribution)]));
      const {
        missing,
        needs,
        unread: unknown,
      } = needsOf(ordered, {
        textsOf: (distribution) => requirementsOf(tree, distribution),
        architecture: tree.architecture,
        searchPath: searchPathOf(tree),
      });
      for (const [distribution, reason] of unknown)
        if (reason !== '') skipped.push({ path: printable(distribution.file.path), reason });

      for (const { info } of ordered) {
        const content = tree.file(`${info}/direct_url.json`)?.content();
        if (content !== undefined && parseDirectUrl(content) === undefined)
          skipped.push({ path: printable(`${info}/direct_url.json`), reason: 'cannot be read' });
      }

      const claims = new Map(ordered.map((distribution) => [distribution, claimsOf(tree, distribution)]));
      for (const claim of claims.values()) skipped.push(...claim.skipped);
      const nested = Map.groupBy(ordered, (distribution) => vendorOf(distribution, ordered, owners));
      const build = (distribution: Distribution): Component => {
        const inner = [
          ...(nested.get(distribution) ?? []).map(build),
          ...(claims.get(distribution)?.components ?? []),
        ];
        const component = componentOf(
          tree,
          distribution,
          installed,
          [...(missing.get(distribution) ?? [])],
          pins,
        );
        return inner.length === 0 ? component : { ...component, components: inner };
      };
      const neededBy = (distribution: Distribution): readonly string[] => [
        ...[...(needs.get(distribution) ?? [])].map(refOf),
        ...(claims.get(distribution)?.needed ?? []),
      ];
      const told = [...claims.values()].flatMap(({ dependencies }) => dependencies);
      const known = new Set(told.map(({ ref }) => ref));
      return {
        components: (nested.get(undefined) ?? []).map(build),
        dependencies: [
          ...ordered
            .map((each): Dependency => ({ ref: refOf(each), dependsOn: [...neededBy(each)].sort() }))
            .filter(({ dependsOn }, at) => dependsOn.length > 0 || !unknown.has(ordered[at] as Distribution)),
          ...told,
        ],
        owners: [...owners].map(([distribution, owns]): Ownership => ({ bomRef: refOf(distribution), owns })),
        skipped,
        leftOut,
        unknownDependencies: [
          ...[...unknown.keys()].map(refOf),
          ...[...claims.values()]
            .flatMap(({ components }) => components.map(({ bomRef }) => bomRef))
            .filter((ref) => !known.has(ref)),
        ],
      };
    },
  };
}

/** With the pins that tcf brings along. */
export const python: Cataloger<RecordHash> = pythonCataloger(builtInPins);

/** The distribution a vendored one lies in: by its RECORD, else by the name of the package directory. */
function vendorOf(
  distribution: Distribution,
  all: readonly Distribution[],
  owners: ReadonlyMap<Distribution, (path: string) => boolean>,
): Distribution | undefined {
  const { environment, file } = distribution;
  const { parent } = environment;
  if (environment.vendored === undefined || parent === undefined) return undefined;
  const installed = all.filter(
    (other) => other.environment.vendored === undefined && file.path.startsWith(`${other.site}/`),
  );
  const directory = (other: Distribution): string =>
    file.path.slice(other.site.length + 1).split('/', 1)[0] ?? '';
  return (
    installed.find((other) => owners.get(other)?.(file.path)) ??
    installed.find((other) => normalName(other.name) === normalName(directory(other)))
  );
}

/** `undefined`: a single egg-info file was written by distutils, which records no requirements. */
function requirementsOf(
  tree: Tree,
  { info, file, metadata, requires }: Distribution,
): readonly string[] | undefined {
  if (isZippedEgg(info)) return requires === undefined ? [] : requirementsOfEgg(requires);
  if (info === file.path) return undefined;
  if (/\.dist-info$/i.test(info)) return metadata.get('requires-dist') ?? [];
  const content = tree.file(`${info}/requires.txt`)?.content();
  return content === undefined ? [] : requirementsOfEgg(content);
}
