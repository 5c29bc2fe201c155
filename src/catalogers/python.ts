import { printable } from '../base/text.ts';
import type { Component, Dependency } from '../bom/model.ts';
import type { Catalog, Cataloger, Ownership, Skipped, Tree } from './contract.ts';
import { builtInPins, type PinTable } from './llvm/pins.ts';
import { pythonComponent, refOf } from './python/component.ts';
import { parseDirectUrl } from './python/direct-url.ts';
import { byPlace, type Distribution, distributionsIn } from './python/distributions.ts';
import { isZippedEgg } from './python/egg.ts';
import { recordedFiles } from './python/files.ts';
import { belowInfo, infoAround, isMetadata, metadataPlaces } from './python/info.ts';
import { normalName, requirementsOfEgg } from './python/metadata.ts';
import {
  hashesOfInstalled,
  installedPlaces,
  isPacked,
  type RecordHash,
  scanInstalled,
} from './python/record.ts';
import { type Needs, needsOf } from './python/requirements.ts';
import { isSiteMark, searchPathOf, sitePlaces } from './python/sites.ts';
import { claimsOf } from './python/wheel-sboms.ts';

/** Read beside the metadata, whatever the capitals of its directory. */
const besideMetadata =
  /\/(?:INSTALLER|RECORD|direct_url\.json|sboms\/[^/]+|requires\.txt|installed-files\.txt)$/;

function isBesideMetadata(path: string): boolean {
  const info = besideMetadata.test(path) ? infoAround(path) : undefined;
  return info !== undefined && path.startsWith(`${info}/`);
}

/**
 * Python distributions of every environment in the image, as `pip list` of each sees them, and what those
 * vendor.
 */
export function pythonCataloger(pins: PinTable): Cataloger<RecordHash> {
  return {
    name: 'python',
    wantedAt: [
      ...metadataPlaces,
      ...sitePlaces,
      ...belowInfo([
        'INSTALLER',
        'RECORD',
        'direct_url.json',
        'sboms/*',
        'requires.txt',
        'installed-files.txt',
      ]),
    ],
    wants: (path) => isMetadata(path) || isSiteMark(path) || isBesideMetadata(path),
    scanned: { at: installedPlaces, isCheck: true },
    scan: scanInstalled,
    // RECORD is compared with real paths and hard links.
    scansBehindLinks: false,
    catalog: (tree) => catalogOf(tree, pins),
  };
}

/** With the pins that tcf brings along. */
export const python: Cataloger<RecordHash> = pythonCataloger(builtInPins);

function catalogOf(tree: Tree<RecordHash>, pins: PinTable): Catalog {
  const hashes = hashesOfInstalled(tree);
  const { distributions, leftOut, skipped } = distributionsIn(tree, hashes);
  const ordered = [...distributions].sort(byPlace);
  const owners = new Map(ordered.map((distribution) => [distribution, recordedFiles(tree, distribution)]));
  const needs = needsOf(ordered, {
    textsOf: (distribution) => requirementsOf(tree, distribution),
    architecture: tree.architecture,
    searchPath: searchPathOf(tree),
  });
  const claims = new Map(ordered.map((distribution) => [distribution, claimsOf(tree, distribution)]));
  const nested = Map.groupBy(ordered, (distribution) => vendorOf(distribution, ordered, owners));
  const build = (distribution: Distribution): Component => {
    const inner = [
      ...(nested.get(distribution) ?? []).map(build),
      ...(claims.get(distribution)?.components ?? []),
    ];
    const missing = [...(needs.missing.get(distribution) ?? [])];
    const component = pythonComponent(tree, distribution, hashes, missing, pins);
    return inner.length === 0 ? component : { ...component, components: inner };
  };
  return {
    components: (nested.get(undefined) ?? []).map(build),
    ...dependenciesOf(ordered, needs, claims),
    owners: [...owners].map(([distribution, owns]): Ownership => ({ bomRef: refOf(distribution), owns })),
    skipped: [
      ...skipped,
      ...[...needs.unread].flatMap(([{ file }, reason]) =>
        reason === '' ? [] : [{ path: printable(file.path), reason }],
      ),
      ...ordered.flatMap((distribution) => unreadUrl(tree, distribution)),
      ...[...claims.values()].flatMap((claim) => claim.skipped),
    ],
    leftOut: [...leftOut, ...packedIn(tree)],
  };
}

type ClaimsOf = ReadonlyMap<Distribution, ReturnType<typeof claimsOf>>;

/** Edges by requirements and by what documents in wheels state; whose needs are not known gets no entry. */
function dependenciesOf(
  ordered: readonly Distribution[],
  { needs, unread }: Needs,
  claims: ClaimsOf,
): Pick<Catalog, 'dependencies' | 'unknownDependencies'> {
  const neededBy = (distribution: Distribution): readonly string[] => [
    ...[...(needs.get(distribution) ?? [])].map(refOf),
    ...(claims.get(distribution)?.needed ?? []),
  ];
  const own = ordered.flatMap((distribution): readonly Dependency[] => {
    const dependsOn = [...neededBy(distribution)].sort();
    return dependsOn.length === 0 && unread.has(distribution)
      ? []
      : [{ ref: refOf(distribution), dependsOn }];
  });
  const stated = [...claims.values()].flatMap(({ dependencies }) => dependencies);
  const known = new Set(stated.map(({ ref }) => ref));
  const claimed = [...claims.values()].flatMap(({ components }) => components.map(({ bomRef }) => bomRef));
  return {
    dependencies: [...own, ...stated],
    unknownDependencies: [...[...unread.keys()].map(refOf), ...claimed.filter((ref) => !known.has(ref))],
  };
}

function unreadUrl(tree: Tree, { info }: Distribution): readonly Skipped[] {
  const path = `${info}/direct_url.json`;
  const content = tree.file(path)?.content();
  if (content === undefined || parseDirectUrl(content) !== undefined) {
    return [];
  }
  return [{ path: printable(path), reason: 'cannot be read' }];
}

function packedIn(tree: Tree<RecordHash>): readonly Skipped[] {
  return tree
    .observed()
    .filter(({ path }) => isPacked(path))
    .map(({ path }) => ({
      path: printable(path),
      reason: 'is a packed distribution, which is not installed',
    }));
}

/** The distribution a vendored one lies in: by its RECORD, else by the name of the package directory. */
function vendorOf(
  distribution: Distribution,
  all: readonly Distribution[],
  owners: ReadonlyMap<Distribution, (path: string) => boolean>,
): Distribution | undefined {
  const { environment, file } = distribution;
  const { parent } = environment;
  if (environment.vendored === undefined || parent === undefined) {
    return undefined;
  }
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
  if (isZippedEgg(info)) {
    return requires === undefined ? [] : requirementsOfEgg(requires);
  }
  if (info === file.path) {
    return undefined;
  }
  if (/\.dist-info$/i.test(info)) {
    return metadata.get('requires-dist') ?? [];
  }
  const content = tree.file(`${info}/requires.txt`)?.content();
  return content === undefined ? [] : requirementsOfEgg(content);
}
